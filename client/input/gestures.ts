/**
 * Turns pointer events into gestures. One mouse pointer or finger uses the tool. Two fingers, the
 * middle or right button, or the space bar move the view. A finger's tool starts after a short
 * delay, so that the first finger of a pinch has no effect.
 */
import { STROKE_LIMITS } from '../../shared/geometry.ts';
import type { Size } from '../render/camera.ts';

export interface PointerSample {
  readonly id: number;
  readonly touch: boolean;
  /** Position in CSS pixels of the view. */
  readonly x: number;
  readonly y: number;
  /** Whether this pointer moves the view (right or middle button, or space held). */
  readonly pan: boolean;
  /** Whether the press has already been used to close a panel. */
  readonly spent?: boolean;
}

export interface GestureTarget {
  toolStart(x: number, y: number, now: number): void;
  toolMove(x: number, y: number, now: number): void;
  /** @param tap whether the pointer hardly moved */
  toolEnd(x: number, y: number, tap: boolean, now: number): void;
  /** Called when the gesture is interrupted, for example by a second finger. */
  toolCancel(now: number): void;
  hover(x: number, y: number, now: number): void;
  panBy(dx: number, dy: number, now: number): void;
  panEnd(now: number): void;
  zoomAbout(x: number, y: number, factor: number): void;
  /** Called when two fingers tap, or one finger taps twice. */
  doubleTap(x: number, y: number, fingers: 1 | 2): void;
}

type State = 'idle' | 'waiting' | 'tool' | 'pan' | 'pinch' | 'spent';

const SLOP = 8;
const WAIT = 110;
const DOUBLE = 320;
const DOUBLE_SLOP = 28;

/** Turns pointer samples into strokes, pans, pinches and double taps. */
export class Gestures {
  private state: State = 'idle';
  private readonly held = new Map<number, { x: number; y: number }>();
  private start = { x: 0, y: 0, at: 0 };
  private moved = 0;
  private pinchMoved = 0;
  private lastTap = { x: 0, y: 0, at: Number.NEGATIVE_INFINITY };

  constructor(private readonly target: GestureTarget) {}

  /** Whether a gesture that moves the view or uses the tool is in progress. */
  get active(): boolean {
    return this.state !== 'idle';
  }

  down(sample: PointerSample, now: number): void {
    this.held.set(sample.id, { x: sample.x, y: sample.y });
    if (this.held.size === 2 && sample.touch) {
      if (this.state === 'tool') this.target.toolCancel(now);
      this.state = 'pinch';
      this.pinchMoved = 0;
      this.start.at = now;
      return;
    }
    if (this.held.size > 1) return;
    this.start = { x: sample.x, y: sample.y, at: now };
    this.moved = 0;
    if (sample.pan) this.state = 'pan';
    else if (sample.spent) this.state = 'spent';
    else if (sample.touch) this.state = 'waiting';
    else this.startTool(now);
  }

  move(sample: PointerSample, now: number): void {
    const before = this.held.get(sample.id);
    if (!before) {
      if (this.state === 'idle') this.target.hover(sample.x, sample.y, now);
      return;
    }
    const { x: oldX, y: oldY } = before;
    const [dx, dy] = [sample.x - oldX, sample.y - oldY];
    if (this.state === 'pinch') {
      this.pinch(sample, now);
      return;
    }
    before.x = sample.x;
    before.y = sample.y;
    this.moved = Math.max(this.moved, Math.hypot(sample.x - this.start.x, sample.y - this.start.y));
    if (this.state === 'pan') this.target.panBy(dx, dy, now);
    if (this.state === 'waiting' && (this.moved > SLOP || now - this.start.at > WAIT)) {
      this.startTool(now);
    }
    if (this.state === 'tool') this.target.toolMove(sample.x, sample.y, now);
  }

  up(sample: PointerSample, now: number): void {
    if (!this.held.delete(sample.id)) return;
    if (this.state === 'waiting') this.startTool(now);
    if (this.state === 'tool') {
      const tap = this.moved <= SLOP;
      this.state = 'idle';
      this.target.toolEnd(sample.x, sample.y, tap, now);
      if (!tap) return;
      const { x, y } = sample;
      const isNear = Math.hypot(x - this.lastTap.x, y - this.lastTap.y) < DOUBLE_SLOP;
      const isDouble = isNear && now - this.lastTap.at < DOUBLE;
      this.lastTap = { x, y, at: isDouble ? Number.NEGATIVE_INFINITY : now };
      if (isDouble) this.target.doubleTap(x, y, 1);
    } else if (this.state === 'pan') {
      this.state = 'idle';
      this.target.panEnd(now);
    } else if (this.state === 'pinch') {
      if (this.pinchMoved <= SLOP && now - this.start.at < DOUBLE) {
        this.target.doubleTap(sample.x, sample.y, 2);
      } else this.target.panEnd(now);
      this.state = 'spent';
    }
    // After a pinch, remaining fingers have no effect until all are lifted.
    if (this.held.size === 0) this.state = 'idle';
  }

  cancel(id: number, now: number): void {
    if (!this.held.delete(id)) return;
    if (this.state === 'tool') this.target.toolCancel(now);
    this.state = this.held.size === 0 ? 'idle' : 'spent';
  }

  private startTool(now: number): void {
    this.state = 'tool';
    this.target.toolStart(this.start.x, this.start.y, now);
  }

  private pinch(sample: PointerSample, now: number): void {
    const [first, second] = [...this.held.keys()];
    const other = this.held.get(sample.id === first ? second : first)!;
    const before = this.held.get(sample.id)!;
    const oldGap = Math.hypot(before.x - other.x, before.y - other.y);
    const newGap = Math.hypot(sample.x - other.x, sample.y - other.y);
    const [dx, dy] = [(sample.x - before.x) / 2, (sample.y - before.y) / 2];
    this.pinchMoved += Math.hypot(sample.x - before.x, sample.y - before.y);
    before.x = sample.x;
    before.y = sample.y;
    this.target.panBy(dx, dy, now);
    if (oldGap > 1 && newGap > 1) {
      const [x, y] = [(sample.x + other.x) / 2, (sample.y + other.y) / 2];
      this.target.zoomAbout(x, y, newGap / oldGap);
    }
  }
}

/**
 * Maximum length of the stroke in one message, in cells. It is slightly below the server's limit,
 * because lengths are rounded.
 */
const MAX_LENGTH = STROKE_LIMITS.maxLength * 0.98;
const MAX_POINTS = STROKE_LIMITS.maxPoints;
/**
 * Minimum time between messages, in ms. A message that has reached its maximum size is sent
 * earlier.
 */
const INTERVAL = 50;
/** Minimum length of a step, in cells. Shorter steps are invisible and are skipped. */
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
    this.points = [this.clamp(x, 'width'), this.clamp(y, 'height')];
    this.length = 0;
    this.fresh = true;
    this.flush(now);
  }

  move(x: number, y: number, now: number): void {
    this.lineTo(this.clamp(x, 'width'), this.clamp(y, 'height'), now);
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

  private clamp(at: number, side: keyof Size): number {
    return Math.max(0, Math.min(this.grid[side], at));
  }
}
