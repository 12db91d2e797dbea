/**
 * Frame timing: interpolation between ticks, and a resolution that this machine can draw in time.
 */

const FIRST_INTERVAL = 66;

/** Measures the tick interval and computes the interpolation between the last two ticks. */
export class Interpolation {
  private interval = FIRST_INTERVAL;
  private arrivedAt = Number.NEGATIVE_INFINITY;

  arrived(now: number): void {
    const gap = now - this.arrivedAt;
    // A quiet room pauses sending; such gaps say nothing about the tick rate.
    if (gap < 400) this.interval += (Math.max(16, gap) - this.interval) * 0.15;
    this.arrivedAt = now;
  }

  /**
   * Interpolation share, 0…1. Slightly slower than the ticks, so that a late tick causes no stop.
   */
  share(now: number): number {
    return Math.max(0, Math.min(1, (now - this.arrivedAt) / (this.interval * 1.2)));
  }
}

/**
 * Frame gap of a slow machine, ms. Screens of 24, 25 and 30 Hz and phones in power-saving mode are
 * not slow.
 */
const SLOW_FRAME = 45;
const VERY_SLOW_FRAME = 120;
const SAMPLE = 24;
/** Very slow frames are few; this total time of them is enough to decide, ms. */
const ENOUGH = 1_500;
const LOWER = 0.8;
const MIN_SCALE = 0.45;
const LOWER_MUCH = 0.5;

/**
 * Lowers the resolution step by step while frames take too long. With a finite patience it tries a
 * higher one later, and waits twice as long after each failed attempt.
 */
export class Resolution {
  private scale = 1;
  private sum = 0;
  private count = 0;
  private lastAt = Number.NEGATIVE_INFINITY;
  private changedAt = Number.NEGATIVE_INFINITY;

  /**
   * @param patience time before a higher resolution is tried, ms
   * @param pause longer gaps between frames are pauses, not slow frames; ms
   */
  constructor(
    private patience = Number.POSITIVE_INFINITY,
    private readonly pause = 250,
  ) {}

  /** Device pixels per CSS pixel to draw at. */
  ratio(devicePixelRatio: number): number {
    return Math.max(0.5, Math.min(2, devicePixelRatio) * this.scale);
  }

  /** Marks a time without drawing, because nothing had changed. */
  rest(now: number): void {
    this.lastAt = now;
  }

  /**
   * Records a frame.
   *
   * @returns whether the resolution has just changed
   */
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
    if (this.scale <= MIN_SCALE) return false;
    if (now - this.changedAt < this.patience) this.patience *= 2;
    this.scale = Math.max(MIN_SCALE, this.scale * share);
    this.changedAt = now;
    return true;
  }

  private raise(now: number): boolean {
    this.scale = Math.min(1, this.scale / LOWER);
    this.changedAt = now;
    return true;
  }
}
