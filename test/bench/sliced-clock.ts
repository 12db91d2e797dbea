/** A clock that runs in slices: between them it stops, and no timer fires. */
import type { Clock } from '../../server/platform/clock.ts';

interface Timer {
  readonly at: number;
  readonly call: () => void;
  pending?: NodeJS.Timeout | undefined;
}

export class SlicedClock implements Clock {
  /** ms that it has gone, before this slice. */
  private gone = 0;
  private since: number | undefined;
  private readonly timers = new Set<Timer>();

  now(): number {
    return this.gone + (this.since === undefined ? 0 : performance.now() - this.since);
  }

  after(delay: number, call: () => void): () => void {
    const timer: Timer = { at: this.now() + delay, call };
    this.timers.add(timer);
    if (this.since !== undefined) this.set(timer);
    return () => {
      clearTimeout(timer.pending);
      this.timers.delete(timer);
    };
  }

  go(): void {
    this.since = performance.now();
    for (const timer of this.timers) this.set(timer);
  }

  stop(): void {
    this.gone = this.now();
    this.since = undefined;
    for (const { pending } of this.timers) clearTimeout(pending);
  }

  private set(timer: Timer): void {
    timer.pending = setTimeout(() => {
      this.timers.delete(timer);
      timer.call();
    }, timer.at - this.now());
  }
}
