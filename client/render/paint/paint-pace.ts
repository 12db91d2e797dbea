/** Chooses how much to paint per frame from how long frames take. */

/** Maximum number of painted pixels per side of a cell; 0: nothing is painted. */
export type PaintScale = 0 | 4 | 8;

/** Budget in multiply-adds per frame: initial, minimum and maximum. */
const FIRST = 16e6;
const LEAST = 8e6;
const MOST = 2e9;
/** Number of frames between two decisions on the pace. */
const WINDOW = 8;
/** Number of slow frames within `WINDOW` at which the pace is too high. */
const MANY = 3;
/** Maximum gap between frames, in ms. A longer gap counts as a pause. */
const PAUSE = 250;
/** Number of consecutive frames without paint from which the screen's frame rate is measured. */
const SAMPLE = 12;
/** Maximum gap that counts as usual, in ms, so that screens of 24 Hz do not count as slow. */
const LONGEST_USUAL = 45;
/** Number of painted frames that may be slow, because something runs for the first time. */
const EXCUSED = 4;
/** Painting stops if the gaps before two consecutive frames both exceed this, in ms. */
const LONGEST = 200;
/** Minimum time without paint after two consecutive gaps above `LONGEST`, in ms. */
const LONG_REST = 300_000;
/**
 * How long to wait before a larger budget or scale is tried, in ms. It doubles after each attempt.
 */
const PATIENCE = 15_000;
const LONGEST_PATIENCE = 1_800_000;
/** If paint has been too old for this long, in ms, the scale is lowered. */
const BEHIND = 2_000;

/**
 * Chooses the paint budget and scale. The budget grows while frames are in time and there is more
 * to paint. It halves when frames are late, and then does not grow for a while. The scale goes down
 * if frames are late even at the minimum budget, or if the budget is too small for the moving
 * cells.
 */
export class PaintPace {
  /** Multiply-adds that a frame may spend on paint. */
  budget = FIRST;
  /** Maximum scale that there is time for. */
  scale: PaintScale = 8;
  /** Maximum that the budget may grow to. */
  private ceiling = MOST;
  private lastAt = Number.NEGATIVE_INFINITY;
  /** Measured gaps between frames that painted nothing, in ms. */
  private readonly gaps: number[] = [];
  /** Usual gap between frames that paint nothing, in ms. */
  private usual = 1000 / 60;
  private frames = 0;
  private slow = 0;
  private limited = 0;
  /** Number of painted frames that are still excused from being slow. */
  private excused = EXCUSED;
  /** Number of consecutive frames above `LONGEST`. */
  private long = 0;
  /**
   * When painting all due chunks began to take longer than `stale`, in ms; undefined if it does
   * not.
   */
  private behindSince: number | undefined;
  private loweredAt = Number.NEGATIVE_INFINITY;
  private patience = PATIENCE;

  /** @param stale age at which paint fades away, ms */
  constructor(private readonly stale: number) {}

  /** Whether the screen's frame rate has been measured. */
  get isReady(): boolean {
    return this.gaps.length >= SAMPLE;
  }

  /** Excuses the next frames from being slow, because something other than paint takes time. */
  excuse(): void {
    this.excused = EXCUSED;
    this.lastAt = Number.NEGATIVE_INFINITY;
    this.long = 0;
    this.behindSince = undefined;
    this.begin();
  }

  /**
   * Records a frame.
   *
   * @param follows whether the frame was requested right after the previous one, so that a long gap
   *   is not a pause
   * @param spent multiply-adds painted in the previous frame
   * @param due multiply-adds due in the previous frame
   */
  frame({
    now,
    follows,
    spent,
    due,
  }: Record<'now' | 'spent' | 'due', number> & { follows: boolean }): void {
    const gap = now - this.lastAt;
    this.lastAt = now;
    this.raise(now);
    if (gap === Number.POSITIVE_INFINITY || (gap > PAUSE && !follows)) return;
    if (spent === 0) {
      this.behindSince = undefined;
      if (follows && !this.isReady) this.learn(gap);
      return;
    }
    if (this.excused > 0) {
      this.excused--;
      return;
    }
    this.long = follows && gap > LONGEST ? this.long + 1 : 0;
    if (this.long > 1) {
      this.scale = 0;
      this.patience = Math.max(LONG_REST, this.patience);
      this.restart(now);
      return;
    }
    this.frames++;
    if (gap > 1.6 * this.usual + 6) this.slow++;
    if (due > spent) this.limited++;
    this.judge(now, gap, due);
  }

  private judge(now: number, gap: number, due: number): void {
    const isBehind = this.budget >= this.ceiling && (due / this.budget) * gap > this.stale;
    this.behindSince = isBehind ? (this.behindSince ?? now) : undefined;
    if (now - (this.behindSince ?? now) > BEHIND) {
      this.lowerScale(now);
      return;
    }
    if (this.slow < MANY && this.frames < WINDOW) return;
    if (this.slow >= MANY) this.lower(now);
    else if (this.slow <= 1 && this.limited > 0)
      this.budget = Math.min(this.ceiling, this.budget * 2);
    this.begin();
  }

  private learn(gap: number): void {
    this.gaps.push(Math.min(gap, LONGEST_USUAL));
    // Use the median, because the first gaps may be long while shaders are compiled.
    this.usual = [...this.gaps].sort((a, b) => a - b)[this.gaps.length >> 1];
  }

  private lower(now: number): void {
    if (this.budget <= LEAST) {
      this.lowerScale(now);
      return;
    }
    this.budget = Math.max(LEAST, this.budget / 2);
    this.ceiling = this.budget;
    this.loweredAt = now;
  }

  private lowerScale(now: number): void {
    if (this.scale === 0) return;
    this.scale = this.scale === 8 ? 4 : 0;
    this.restart(now);
  }

  private raise(now: number): void {
    if (this.scale === 8 && this.ceiling === MOST) return;
    if (now - this.loweredAt < this.patience) return;
    this.patience = Math.min(LONGEST_PATIENCE, this.patience * 2);
    if (this.scale === 8) {
      this.ceiling = MOST;
      this.loweredAt = now;
    } else {
      this.scale = this.scale === 4 ? 8 : 4;
      this.restart(now);
    }
  }

  /** Restarts with the initial budget, because the scale has changed. */
  private restart(now: number): void {
    this.budget = FIRST;
    this.ceiling = MOST;
    this.loweredAt = now;
    this.excuse();
    this.lastAt = now;
  }

  private begin(): void {
    this.frames = this.slow = this.limited = 0;
  }
}
