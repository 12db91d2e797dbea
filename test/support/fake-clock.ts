/** A clock that stands still until told. */
import type { Clock } from '../../server/platform/clock.ts';

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

/** All that is ready to run has run. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}
