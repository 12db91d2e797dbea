/** How much may be painted in a frame, from how long frames take. */

/** Pixels a cell, along a side, that the painter paints at most; 0: it does not paint. */
export type PaintScale = 0 | 4 | 8;

const SCALES: readonly PaintScale[] = [0, 4, 8];

/** Multiply-adds a frame: at first, and within what they change. */
const FIRST = 16e6;
const LEAST = 8e6;
const MOST = 2e9;
/** Frames after which the pace is decided on anew. */
const WINDOW = 8;
/** Slow frames of them that are too many. */
const MANY = 3;
/** Longer gaps are pauses, ms. */
const PAUSE = 250;
/** Browsers draw no frames of hidden pages, ms. */
const HIDDEN = 5_000;
/** A frame that takes longer is one too many, ms. */
const LONGEST = 200;
/** Time before it paints again after such a frame, ms. */
const LONG_REST = 300_000;
/** Time before a larger scale is tried again, ms; twice as long after each attempt. */
const PATIENCE = 15_000;

/** What a frame was like. */
export interface PaintedFrame {
  /** ms */
  readonly now: number;
  /** Whether it was asked for right after the one before: then no gap is a pause. */
  readonly follows: boolean;
  /** Multiply-adds that were painted in the one before. */
  readonly spent: number;
  /** Whether more of them were due. */
  readonly limited: boolean;
}

/**
 * Chooses the budget. It grows while frames come in time and there is more to paint, and halves
 * when they come late; when it is smallest, the scale goes down.
 */
export class PaintPace {
  /** Multiply-adds a frame. */
  budget = FIRST;
  private level = SCALES.length - 1;
  private lastAt = Number.NEGATIVE_INFINITY;
  /** Gap between frames in which nothing is painted, ms. */
  private usual = 1000 / 60;
  private frames = 0;
  private slow = 0;
  private limited = 0;
  private loweredAt = Number.NEGATIVE_INFINITY;
  private patience = PATIENCE;

  /** The largest scale that there is time for. */
  get scale(): PaintScale {
    return SCALES[this.level];
  }

  /** Records a frame. */
  frame({ now, follows, spent, limited }: PaintedFrame): void {
    const gap = now - this.lastAt;
    this.lastAt = now;
    this.raise(now);
    if (gap > HIDDEN || (gap > PAUSE && !follows)) return;
    if (spent === 0) {
      if (follows) this.usual += (Math.min(gap, 50) - this.usual) * 0.1;
      return;
    }
    if (follows && gap > LONGEST) {
      this.level = 0;
      this.budget = FIRST;
      this.loweredAt = now;
      this.patience = Math.max(LONG_REST, this.patience);
      return;
    }
    this.frames++;
    // Screens of 30 Hz are not slow.
    if (gap > 1.6 * this.usual + 6) this.slow++;
    if (limited) this.limited++;
    if (this.slow < MANY && this.frames < WINDOW) return;
    if (this.slow >= MANY) this.lower(now);
    else if (this.slow <= 1 && this.limited > 0) this.budget = Math.min(MOST, this.budget * 2);
    this.frames = this.slow = this.limited = 0;
  }

  private lower(now: number): void {
    if (this.budget > LEAST) {
      this.budget = Math.max(LEAST, this.budget / 2);
    } else if (this.level > 0) {
      this.level--;
      this.budget = FIRST;
      this.loweredAt = now;
    }
  }

  private raise(now: number): void {
    if (this.level === SCALES.length - 1 || now - this.loweredAt < this.patience) return;
    this.level++;
    this.budget = FIRST;
    this.loweredAt = now;
    this.patience *= 2;
  }
}
