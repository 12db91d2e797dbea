/**
 * Work that the engine need not wait for. Where the next tick is due already, what this one has brought is sent while the engine
 * steps the next; it is not put off for longer than that takes to begin.
 */
import type { Clock } from '../platform/clock.ts';

/** The next tick begins sooner, unless its room was closed or held at this very moment; ms. */
const PATIENCE = 5;

export class DeferredWork {
  private work: (() => void) | undefined;
  private cancel: (() => void) | undefined;

  /** @param onError hears why work has failed: nothing is thrown into what is done meanwhile */
  constructor(
    private readonly clock: Pick<Clock, 'after'>,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Puts work off; what was put off before is done first. */
  defer(work: () => void): void {
    this.run();
    this.work = work;
    this.cancel = this.clock.after(PATIENCE, () => this.run());
  }

  /** Does what was put off, if anything. */
  run(): void {
    const { work } = this;
    this.cancel?.();
    this.work = this.cancel = undefined;
    try {
      work?.();
    } catch (error) {
      this.onError(error);
    }
  }
}
