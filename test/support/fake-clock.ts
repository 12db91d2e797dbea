/** Clocks for tests. */
import { type Clock, systemClock } from '../../server/platform/clock.ts';

/** A clock that only a test advances. */
export class FakeClock implements Clock {
  private time = 1_000;
  private timers: { at: number; call: () => void }[] = [];

  now(): number {
    return this.time;
  }

  after(delay: number, call: () => void): () => void {
    const timer = { at: this.time + delay, call };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  get waiting(): number {
    return this.timers.length;
  }

  /** Time goes on; what falls due is called in order, and what it leads to is awaited. */
  async advance(duration: number): Promise<void> {
    const end = this.time + duration;
    for (;;) {
      await settled();
      const [next] = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.time = Math.max(this.time, next.at);
      next.call();
    }
    this.time = Math.max(this.time, end);
    await settled();
  }

  /** Time goes on inside a tick, as when the engine computes. */
  spend(duration: number): void {
    this.time += duration;
  }
}

/** Runs the pending microtasks, ten levels deep. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

/**
 * The system's clock, but for waits of one length: these last until a test says that they are over.
 */
export class HeldClock implements Clock {
  private readonly held = new Set<() => void>();
  readonly now = systemClock.now;

  constructor(private readonly length: number) {}

  after(delay: number, call: () => void): () => void {
    if (delay !== this.length) return systemClock.after(delay, call);
    this.held.add(call);
    return () => this.held.delete(call);
  }

  pass(): void {
    for (const call of [...this.held]) {
      if (this.held.delete(call)) call();
    }
  }
}

/** The system's clock, which a test can put forward, and stop. Its timers do not notice. */
export class ShiftedClock implements Clock {
  /** In ms. */
  ahead = 0;
  /** The time at which a test has stopped the clock, in ms. */
  stopped: number | undefined;
  readonly now = (): number => (this.stopped ?? systemClock.now()) + this.ahead;
  readonly after = systemClock.after;
}

/** The system's clock, but so many times as fast. */
export class FastClock implements Clock {
  constructor(private readonly factor: number) {}

  now(): number {
    return systemClock.now() * this.factor;
  }

  after(delay: number, call: () => void): () => void {
    return systemClock.after(delay / this.factor, call);
  }
}
