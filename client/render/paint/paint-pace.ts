/** Chooses how much to paint per frame, based on how long frames take. */

/** Painted pixels per side of a cell; 0 means that nothing is painted. */
export type PaintScale = 0 | 4 | 8;

/** Budget per frame, in multiply-adds: initial, minimum and maximum. */
const FIRST = 16e6;
const LEAST = 8e6;
const MOST = 2e9;
/** Number of painted frames after which the budget is reconsidered. */
const WINDOW = 8;
/** Number of slow frames within `WINDOW` at which the budget is lowered. */
const MANY = 3;
/**
 * A gap between two frames that is longer than this, in ms, counts as a pause, unless the first
 * frame requested the second immediately.
 */
const PAUSE = 250;
/** Number of frames without paint that are timed to measure the screen's frame rate. */
const SAMPLE = 12;
/** When the frame rate is measured, gaps between frames count as at most this long, in ms. */
const LONGEST_USUAL = 45;
/** Number of painted frames that cannot count as slow after a call of `excuse`. */
const EXCUSED = 4;
/** Painting stops after two consecutive painted frames that each took longer than this, in ms. */
const LONGEST = 200;
/** Minimum time for which painting stays stopped, in ms. */
const LONG_REST = 300_000;
/**
 * Time before a larger budget or a higher scale is tried, in ms. Doubles with each attempt, up to
 * `LONGEST_PATIENCE`.
 */
const PATIENCE = 15_000;
const LONGEST_PATIENCE = 1_800_000;
/**
 * If even the maximum budget has been too small for this time, in ms, the scale is lowered. Too
 * small means that outdated paint fades out before it can be replaced.
 */
const BEHIND = 2_000;

/**
 * Chooses the budget of painting (multiply-adds per frame) and its scale (painted pixels per side
 * of a cell).
 *
 * If frames are on time but some chunks that need paint were not painted, doubles the budget. If
 * frames are late, halves the budget. If frames are late even at the minimum budget, or if the
 * maximum budget is too small, lowers the scale. Tries higher values again later.
 */
export class PaintPace {
  /** Maximum number of multiply-adds that a frame may spend on paint. */
  budget = FIRST;
  /**
   * The highest scale (painted pixels per side of a cell) for which this machine is fast enough.
   */
  scale: PaintScale = 8;
  /** Current upper limit of `budget`, in multiply-adds per frame. */
  private ceiling = MOST;
  private lastAt = Number.NEGATIVE_INFINITY;
  /** Measured times between frames in which nothing was painted, in ms. */
  private readonly gaps: number[] = [];
  /** Median of `gaps`, in ms. */
  private usual = 1000 / 60;
  private frames = 0;
  private slow = 0;
  private limited = 0;
  private excused = EXCUSED;
  /** Number of consecutive painted frames that took longer than `LONGEST`. */
  private long = 0;
  /**
   * Time at which even the maximum budget became too small (see `BEHIND`), in ms; undefined while
   * painting is fast enough.
   */
  private behindSince: number | undefined;
  private loweredAt = Number.NEGATIVE_INFINITY;
  private patience = PATIENCE;

  /** @param stale age at which a painted chunk fades out, in ms */
  constructor(private readonly stale: number) {}

  /** Whether the screen's frame rate has been measured. Until then, nothing is painted. */
  get isReady(): boolean {
    return this.gaps.length >= SAMPLE;
  }

  /**
   * Excuses the next `EXCUSED` painted frames from counting as slow, because something other than
   * painting may delay them.
   */
  excuse(): void {
    this.excused = EXCUSED;
    this.lastAt = Number.NEGATIVE_INFINITY;
    this.long = 0;
    this.behindSince = undefined;
    this.begin();
  }

  /**
   * Records that a frame begins, and adjusts the budget and the scale.
   *
   * @param follows whether the previous frame requested this frame immediately. If not, a long gap
   *   between the two frames counts as a pause, not as a slow frame
   * @param spent multiply-adds that the previous frame spent on painting
   * @param due multiply-adds needed to paint all chunks that were due in the previous frame
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
    // The first gaps may be long while shaders are being compiled, so use the median.
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

  /** Resets the budget to its initial value after `scale` has changed. */
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
