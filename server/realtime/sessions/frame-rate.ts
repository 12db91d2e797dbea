/** Measures how many frames a client confirms per second. */

/** ms */
const WINDOW = 5_000;

/** A rate over the last five to ten seconds. */
export class FrameRate {
  private count = 0;
  private before: { readonly count: number; readonly start: number };

  /** @param start monotonic time, ms, as for all methods */
  constructor(private start: number) {
    this.before = { count: 0, start };
  }

  /** So many frames were confirmed. */
  confirm(now: number, frames = 1): void {
    if (now - this.start >= WINDOW) {
      this.before = { count: this.count, start: this.start };
      this.start = now;
      this.count = 0;
    }
    this.count += frames;
  }

  /** Frames per second. */
  at(now: number): number {
    const { count, start, before } = this;
    if (now - start >= 2 * WINDOW) return 0;
    return (1000 * (before.count + count)) / Math.max(1_000, now - before.start);
  }
}
