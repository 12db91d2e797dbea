/**
 * Turns pointer events into gestures. One mouse pointer or finger uses the tool. Two fingers, the
 * middle or right button, or the space bar move the view. A finger's tool starts after a short
 * delay, so that the first finger of a pinch has no effect.
 */

export interface PointerSample {
  readonly id: number;
  readonly touch: boolean;
  /** CSS pixels of the view. */
  readonly x: number;
  readonly y: number;
  /** Whether this pointer moves the view (right or middle button, or space held). */
  readonly pan: boolean;
  /** Whether the press has had its effect already: it has closed a panel. */
  readonly spent?: boolean;
}

export interface GestureTarget {
  toolStart(x: number, y: number, now: number): void;
  toolMove(x: number, y: number, now: number): void;
  /** @param tap whether the pointer hardly moved */
  toolEnd(x: number, y: number, tap: boolean, now: number): void;
  /** The gesture was interrupted, for example by a second finger. */
  toolCancel(now: number): void;
  hover(x: number, y: number, now: number): void;
  panBy(dx: number, dy: number, now: number): void;
  panEnd(now: number): void;
  zoomAbout(x: number, y: number, factor: number): void;
  /** Two fingers tapped, or one finger tapped twice. */
  doubleTap(x: number, y: number, fingers: 1 | 2): void;
}

type State = 'idle' | 'waiting' | 'tool' | 'pan' | 'pinch' | 'spent';

const SLOP = 8;
const WAIT = 110;
const DOUBLE = 320;
const DOUBLE_SLOP = 28;

interface Held {
  x: number;
  y: number;
}

/** Turns pointer samples into strokes, pans, pinches and double taps. */
export class Gestures {
  private state: State = 'idle';
  private readonly held = new Map<number, Held>();
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
      if (tap) this.tapped(sample, now);
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

  private tapped({ x, y }: PointerSample, now: number): void {
    const near = Math.hypot(x - this.lastTap.x, y - this.lastTap.y) < DOUBLE_SLOP;
    const twice = near && now - this.lastTap.at < DOUBLE;
    this.lastTap = { x, y, at: twice ? Number.NEGATIVE_INFINITY : now };
    if (twice) this.target.doubleTap(x, y, 1);
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
