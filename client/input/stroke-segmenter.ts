/**
 * Splits a drag into stroke messages within the protocol's limits. Each continues where the last
 * ended.
 */
import { PAGE_DEFAULTS } from '../../shared/page-defaults.ts';
import type { Size } from '../render/camera.ts';

/** Slightly below the server's limit, so that rounding never exceeds it. Cells. */
const MAX_LENGTH = PAGE_DEFAULTS.stroke.maxLength * 0.98;
const MAX_POINTS = PAGE_DEFAULTS.stroke.maxPoints;
/** Minimum time between messages, ms, unless a limit is reached. */
const INTERVAL = 50;
/** Shorter steps are invisible. Cells. */
const MIN_STEP = 0.15;

/** Cuts a running stroke into segments within the protocol's limits. */
export class StrokeSegmenter {
  /** Unsent points, flat (x, y, …). The first is the end of the last message. */
  private points: number[] = [];
  private length = 0;
  private fresh = false;
  private sentAt = Number.NEGATIVE_INFINITY;

  /**
   * @param emit receives the points of one message: at most 64 points and 512 cells long, all on
   *   the grid
   */
  constructor(
    private readonly grid: Size,
    private readonly emit: (points: number[]) => void,
  ) {}

  start(x: number, y: number, now: number): void {
    this.points = [this.clampX(x), this.clampY(y)];
    this.length = 0;
    this.fresh = true;
    this.flush(now);
  }

  move(x: number, y: number, now: number): void {
    this.lineTo(this.clampX(x), this.clampY(y), now);
    if (this.fresh && now - this.sentAt >= INTERVAL) this.flush(now);
  }

  end(now: number): void {
    if (this.fresh) this.flush(now);
    this.points = [];
  }

  private lineTo(x: number, y: number, now: number): void {
    if (this.points.length === 0) return;
    let [fromX, fromY] = this.points.slice(-2);
    let step = Math.hypot(x - fromX, y - fromY);
    if (step < MIN_STEP) return;
    while (this.length + step > MAX_LENGTH) {
      const share = (MAX_LENGTH - this.length) / step;
      fromX += (x - fromX) * share;
      fromY += (y - fromY) * share;
      this.push(fromX, fromY, step * share);
      this.flush(now);
      step = Math.hypot(x - fromX, y - fromY);
    }
    if (step === 0) return;
    this.push(x, y, step);
    if (this.points.length >= 2 * MAX_POINTS) this.flush(now);
  }

  private push(x: number, y: number, step: number): void {
    this.points.push(x, y);
    this.length += step;
    this.fresh = true;
  }

  private flush(now: number): void {
    this.emit(this.points);
    this.points = this.points.slice(-2);
    this.length = 0;
    this.fresh = false;
    this.sentAt = now;
  }

  private clampX(x: number): number {
    return Math.max(0, Math.min(this.grid.width, x));
  }

  private clampY(y: number): number {
    return Math.max(0, Math.min(this.grid.height, y));
  }
}
