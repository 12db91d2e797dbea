/**
 * Defers work that the engine need not wait for. When the next tick is already due, the results of
 * this tick are sent while the engine steps the next one.
 */
import type { Clock } from '../platform/clock.ts';

/** Longest deferral, ms. The next tick begins sooner unless its room was just closed or held. */
const MAX_DELAY = 5;

/** Holds at most one piece of work until `run`, the next `defer` or a short timeout. */
export class DeferredWork {
  private work: (() => void) | undefined;
  private cancel: (() => void) | undefined;

  /** @param onError receives what deferred work throws; `run` and `defer` never throw */
  constructor(
    private readonly clock: Pick<Clock, 'after'>,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Defers work. Work that is already deferred runs first. */
  defer(work: () => void): void {
    this.run();
    this.work = work;
    this.cancel = this.clock.after(MAX_DELAY, () => this.run());
  }

  /** Runs the deferred work, if any. */
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
