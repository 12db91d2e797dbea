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

/** ms. Screens of 24, 25 and 30 Hz are not slow, nor are phones that save power. */
const SLOW_FRAME = 45;
const VERY_SLOW_FRAME = 120;
const SAMPLE = 24;
/** Very slow frames are few: so much time of them is enough to judge by, ms. */
const ENOUGH = 1_500;
const LOWER = 0.8;
const LOWER_MUCH = 0.5;

/**
 * Lowers the resolution, step by step, while frames take too long. One who runs for days tries to raise it again after a
 * while, and waits twice as long each time that this did not hold.
 */
export class Resolution {
  private scale = 1;
  private sum = 0;
  private count = 0;
  private lastAt = Number.NEGATIVE_INFINITY;
  private changedAt = Number.NEGATIVE_INFINITY;

  /**
   * @param patience ms before more is tried
   * @param pause longer gaps between frames are pauses, not slow frames; ms
   */
  constructor(
    private readonly minScale = 0.45,
    private patience = Number.POSITIVE_INFINITY,
    private readonly pause = 250,
  ) {}

  /** Device pixels a CSS pixel. */
  ratio(devicePixelRatio: number): number {
    return Math.max(0.5, Math.min(2, devicePixelRatio) * this.scale);
  }

  /** Nothing was drawn until now, for there was nothing new. */
  rest(now: number): void {
    this.lastAt = now;
  }

  /** @returns whether the resolution has just changed */
  frame(now: number): boolean {
    const gap = now - this.lastAt;
    this.lastAt = now;
    if (gap > this.pause) return false;
    this.sum += gap;
    this.count++;
    if (this.count < SAMPLE && this.sum < ENOUGH) return false;
    const mean = this.sum / this.count;
    this.sum = this.count = 0;
    if (mean >= SLOW_FRAME) return this.lower(now, mean < VERY_SLOW_FRAME ? LOWER : LOWER_MUCH);
    return this.scale < 1 && now - this.changedAt > this.patience && this.raise(now);
  }

  private lower(now: number, share: number): boolean {
    if (this.scale <= this.minScale) return false;
    if (now - this.changedAt < this.patience) this.patience *= 2;
    this.scale = Math.max(this.minScale, this.scale * share);
    this.changedAt = now;
    return true;
  }

  private raise(now: number): boolean {
    this.scale = Math.min(1, this.scale / LOWER);
    this.changedAt = now;
    return true;
  }
}
