/** Two small clocks: how far the picture is between two ticks, and how many pixels this machine can draw in time. */

const FIRST_INTERVAL = 66;

/** Measures the time between ticks and says how far from the last one to the newest the picture should be. */
export class Interpolation {
  private interval = FIRST_INTERVAL;
  private arrivedAt = Number.NEGATIVE_INFINITY;

  arrived(now: number): void {
    const gap = now - this.arrivedAt;
    // A quiet room sends nothing for a while: such gaps say nothing about the tick rate.
    if (gap < 400) this.interval += (Math.max(16, gap) - this.interval) * 0.15;
    this.arrivedAt = now;
  }

  /** A little slower than the ticks come, so that a late one finds the picture still moving. */
  share(now: number): number {
    return Math.max(0, Math.min(1, (now - this.arrivedAt) / (this.interval * 1.2)));
  }
}

const SLOW_FRAME = 30;
const SAMPLE = 24;

/** Lowers the resolution, step by step, while frames take too long. */
export class Resolution {
  private scale = 1;
  private sum = 0;
  private count = 0;
  private lastAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly minScale = 0.45) {}

  /** Device pixels a CSS pixel. */
  ratio(devicePixelRatio: number): number {
    return Math.max(0.5, Math.min(2, devicePixelRatio) * this.scale);
  }

  /** @returns whether the resolution has just changed */
  frame(now: number): boolean {
    const gap = now - this.lastAt;
    this.lastAt = now;
    // Longer gaps are pauses, not slow frames.
    if (gap > 250) return false;
    this.sum += gap;
    if (++this.count < SAMPLE) return false;
    const mean = this.sum / this.count;
    this.sum = this.count = 0;
    if (mean < SLOW_FRAME || this.scale <= this.minScale) return false;
    this.scale = Math.max(this.minScale, this.scale * 0.8);
    return true;
  }
}
