/** How much may be painted in a frame, from how long frames take. */

/** Pixels a cell, along a side, that the painter paints at most; 0: it does not paint. */
export type PaintScale = 0 | 4 | 8;

const SCALES: readonly PaintScale[] = [0, 4, 8];

/** Multiply-adds a frame: at first, and within what they change. */
const FIRST = 16e6;
const LEAST = 8e6;
const MOST = 2e9;
/** Number of frames between two decisions on the pace. */
const WINDOW = 8;
/** Slow frames of them that are too many. */
const MANY = 3;
/** Longer gaps are pauses, ms. */
const PAUSE = 250;
/** Frames without paint, each right after another, that show how often this screen draws. */
const SAMPLE = 12;
/** The longest usual gap, ms: screens of 24 Hz are not slow. */
const LONGEST_USUAL = 45;
/** Painted frames that may take long, because something is done for the first time. */
const EXCUSED = 4;
/** Two frames in a row that take longer are too many, ms. */
const LONGEST = 200;
/** Time before it paints again after such frames, ms. */
const LONG_REST = 300_000;
/** Time before more is tried again, ms; twice as long after each attempt, up to the longest. */
const PATIENCE = 15_000;
const LONGEST_PATIENCE = 1_800_000;
/** Time for which paint may be older than it should before the scale is lowered, ms. */
const BEHIND = 2_000;

/**
 * Chooses the budget. It grows while frames come in time and there is more to paint, and halves
 * when they come late; then it does not grow until some time has passed. When it is smallest, or
 * too small for what moves, the scale goes down.
 */
export class PaintPace {
  /** Multiply-adds a frame. */
  budget = FIRST;
  private level = SCALES.length - 1;
  /** Limit of the budget's growth. */
  private ceiling = MOST;
  private lastAt = Number.NEGATIVE_INFINITY;
  /** Gaps of frames in which nothing was painted, ms. */
  private readonly gaps: number[] = [];
  /** Gap between frames in which nothing is painted, ms. */
  private usual = 1000 / 60;
  private frames = 0;
  private slow = 0;
  private limited = 0;
  /** Frames that are not judged yet. */
  private excused = EXCUSED;
  /** Frames in a row that took far too long. */
  private long = 0;
  /** Since when a round has taken longer than it may, ms. */
  private behindSince: number | undefined;
  private loweredAt = Number.NEGATIVE_INFINITY;
  private patience = PATIENCE;

  /** @param stale age at which paint fades away, ms */
  constructor(private readonly stale: number) {}

  /** The largest scale that there is time for. */
  get scale(): PaintScale {
    return SCALES[this.level];
  }

  /** Whether it knows how often this screen draws. */
  get isReady(): boolean {
    return this.gaps.length >= SAMPLE;
  }

  /** Does not judge the next frames: something else than paint takes time. */
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
   * @param follows whether it was asked for right after the frame before: then no gap is a pause
   * @param spent multiply-adds painted in the frame before
   * @param due multiply-adds due in it
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
      this.level = 0;
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
    // The first ones may be long: something is compiled.
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
    if (this.level === 0) return;
    this.level--;
    this.restart(now);
  }

  private raise(now: number): void {
    const isHighest = this.level === SCALES.length - 1 && this.ceiling === MOST;
    if (isHighest || now - this.loweredAt < this.patience) return;
    this.patience = Math.min(LONGEST_PATIENCE, this.patience * 2);
    if (this.level === SCALES.length - 1) {
      this.ceiling = MOST;
      this.loweredAt = now;
    } else {
      this.level++;
      this.restart(now);
    }
  }

  /** Begins at another scale. */
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
