/**
 * Tells the server whether the visitor is busy: they draw, choose or read something in a panel. The
 * gardener waits for them.
 */
import { PAGE_DEFAULTS } from '../../shared/page-defaults.ts';
import type { Command } from '../../shared/protocol/commands.ts';

/** Says it when a panel opens or closes, and now and then while the visitor does something there. */
export class BusyReporter {
  private isBusy = false;
  private reportedAt = 0;

  constructor(private readonly send: (message: Command<'busy'>) => void) {}

  /** @param now ms */
  change(isBusy: boolean, now: number): void {
    if (isBusy !== this.isBusy) this.report(isBusy, now);
  }

  /** The visitor has touched the page. @param now ms */
  touch(now: number): void {
    const isDue = now - this.reportedAt >= PAGE_DEFAULTS.net.busyInterval;
    if (this.isBusy && isDue) this.report(true, now);
  }

  private report(busy: boolean, now: number): void {
    this.isBusy = busy;
    this.reportedAt = now;
    this.send({ busy });
  }
}
