/**
 * Turns a canvas's pointer events into gestures and strokes, finds the organism under the pointer,
 * and tells the server which part of the grid is visible.
 */
import type { TierName } from '../../shared/codec/tiers.ts';
import { STROKE_LIMITS } from '../../shared/limits.ts';
import type { Command } from '../../shared/protocol/commands.ts';
import type { OrganismId, OrganismView } from '../../shared/vocabulary.ts';
import { type Camera, type Point, type Size, screenToWorld } from '../render/camera.ts';
import type { RoomView } from '../render/room-view.ts';
import type { RoomModel, Send } from '../room/room-model.ts';
import { Throttle } from '../state/browser-store.ts';

/** CSS pixels per unit of wheel delta, by `deltaMode`: pixel, line, page. */
const WHEEL_UNITS = [1, 32, 400];

export function bindCanvas(canvas: HTMLCanvasElement, tools: CanvasHand): () => void {
  const gestures = new Gestures(tools);
  const stop = new AbortController();
  let space = false;

  const sample = (event: PointerEvent): PointerSample => {
    const { left, top } = canvas.getBoundingClientRect();
    return {
      id: event.pointerId,
      touch: event.pointerType === 'touch',
      x: event.clientX - left,
      y: event.clientY - top,
      // Any button except the primary one (0) moves the view. In move events, `button` is −1.
      pan: event.button > 0 || space,
    };
  };
  const on = <K extends keyof HTMLElementEventMap>(
    name: K,
    listener: (event: HTMLElementEventMap[K]) => void,
  ): void => canvas.addEventListener(name, listener, { signal: stop.signal, passive: false });

  on('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    if (event.button === 1) event.preventDefault();
    const press = sample(event);
    const spent = !press.pan && tools.dismiss?.() === true;
    gestures.down({ ...press, spent }, event.timeStamp);
  });
  on('pointermove', (event) => {
    // During a fast stroke, browsers merge several pointer positions into one event. Read all of
    // them.
    const all = gestures.active ? (event.getCoalescedEvents?.() ?? []) : [];
    for (const each of all.length > 0 ? all : [event]) gestures.move(sample(each), each.timeStamp);
  });
  on('pointerup', (event) => {
    gestures.up(sample(event), event.timeStamp);
    if (event.pointerType === 'touch') tools.leave(event.timeStamp);
  });
  on('pointercancel', (event) => gestures.cancel(event.pointerId, event.timeStamp));
  on('pointerleave', (event) => {
    if (!gestures.active) tools.leave(event.timeStamp);
  });
  on('contextmenu', (event) => event.preventDefault());
  on('wheel', (event) => {
    event.preventDefault();
    const { left, top } = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    const unit = WHEEL_UNITS[event.deltaMode] ?? 1;
    // Browsers report a pinch on a trackpad as wheel events with `ctrlKey` and small deltas. Zoom
    // faster for these events.
    const speed = event.ctrlKey ? 0.011 : 0.0016;
    const delta = Math.max(-240, Math.min(240, event.deltaY * unit));
    tools.zoomAbout(x, y, Math.exp(-delta * speed));
    tools.hover(x, y, event.timeStamp);
  });
  const { signal } = stop;
  // When the window loses the focus, treat the space bar as released, because its `keyup` will not
  // arrive.
  for (const name of ['keydown', 'keyup', 'blur'] as const) {
    const bar = ({ key = ' ', target }: Partial<KeyboardEvent>): void => {
      if (key !== ' ') return;
      space = name === 'keydown' && (target === document.body || canvas.matches(':focus'));
    };
    window.addEventListener(name, bar, { signal });
  }
  // Prevent Safari's own pinch gesture, which would zoom the whole page.
  document.addEventListener('gesturestart', (event) => event.preventDefault(), { signal });
  return () => stop.abort();
}

/** Moves and zooms the view for pans and pinches, and finds the organism under a pointer. */
export abstract class ViewTools implements Pick<CanvasHand, 'panBy' | 'panEnd' | 'zoomAbout'> {
  constructor(
    protected readonly model: RoomModel,
    protected readonly view: RoomView,
  ) {}

  /** Called when the visitor moves the view, just before the view changes. */
  protected moved(): void {}

  panBy(dx: number, dy: number, now: number): void {
    this.moved();
    this.view.rig.panBy(dx, dy, now);
    this.view.loop.invalidate();
  }

  panEnd(now: number): void {
    this.view.rig.release(now);
    this.view.loop.invalidate();
  }

  zoomAbout(x: number, y: number, factor: number): void {
    this.moved();
    this.view.rig.zoomAbout(x, y, factor);
    this.view.loop.invalidate();
  }

  /**
   * Returns the id of the organism at or near a position; 0 if there is none.
   *
   * @param at position in CSS pixels of the view
   */
  protected organismAt(at: Point): OrganismId {
    return organismAt(this.model, this.view.toWorld(at));
  }
}

type Look = Command<'look'>;
type Shown = Extract<Look, { hidden: false }>;

/** Minimum time between two reports of the visible part of the grid, in ms. */
const LOOK_INTERVAL = 200;
/**
 * Minimum move of the view that is reported to the server, in cells. Shorter moves need no report,
 * because the server also sends a margin around the visible part.
 */
const LOOK_STEP = 4;

/** Tells the server which part of the grid is visible, at most once per `LOOK_INTERVAL`. */
export class ViewportReporter {
  private readonly throttle: Throttle<Look>;
  private last: Shown | undefined;

  /** @param best highest level of detail that this screen needs */
  constructor(
    private readonly send: (look: Look) => void,
    private readonly best: TierName = 'full',
  ) {
    this.throttle = new Throttle(send, LOOK_INTERVAL);
  }

  /**
   * Tells the server which area is visible. While the camera glides to another view (`heading`),
   * the area includes both views, so that the server sends the cells before the camera arrives.
   *
   * @param pixelRatio device pixels per CSS pixel
   * @returns whether a report is still waiting to be sent
   */
  shows(
    { camera, heading = camera }: { readonly camera: Camera; readonly heading?: Camera },
    view: Size,
    pixelRatio: number,
    now: number,
  ): boolean {
    const cameras = [camera, heading];
    const corner = (at: Point): Point[] => cameras.map((each) => screenToWorld(each, view, at));
    const upper = corner({ x: 0, y: 0 });
    const lower = corner({ x: view.width, y: view.height });
    const x = Math.min(...upper.map((each) => each.x));
    const y = Math.min(...upper.map((each) => each.y));
    const width = Math.max(...lower.map((each) => each.x)) - x;
    const height = Math.max(...lower.map((each) => each.y)) - y;
    const pixels = Math.max(camera.zoom, heading.zoom) * pixelRatio;
    const look = { hidden: false, x, y, width, height, pixels, best: this.best } as const;
    if (this.last && isNear(this.last, look)) return this.throttle.flush(now);
    this.last = look;
    this.throttle.push(look, now);
    return this.throttle.flush(now);
  }

  /**
   * Tells the server immediately that the page is hidden. Other reports are sent in animation
   * frames, but a hidden page has none.
   */
  hide(): void {
    this.last = undefined;
    this.throttle.forget();
    this.send({ hidden: true });
  }

  /** Forgets the last report, so that the view is reported again over a new connection. */
  forget(): void {
    this.last = undefined;
  }
}

/**
 * Tells the server which part of the grid a view shows, or that the page is hidden, until `signal`
 * is aborted.
 *
 * @param best highest level of detail that this screen needs
 * @returns a function to call in each animation frame, with the time in ms; it returns whether a
 *   report is still waiting to be sent
 */
export function reportView(
  view: Pick<RoomView, 'rig' | 'size' | 'loop'>,
  connection: { readonly model: RoomModel; readonly send: Send },
  signal: AbortSignal,
  best?: TierName,
): (now: number) => boolean {
  const { model } = connection;
  const reporter = new ViewportReporter((look) => connection.send('look', look), best);
  const changed = (): void => {
    if (document.hidden) reporter.hide();
    view.loop.invalidate();
  };
  document.addEventListener('visibilitychange', changed, { signal });
  const opened = (): void => {
    reporter.forget();
    if (document.hidden) reporter.hide();
  };
  signal.addEventListener('abort', model.on('opened', opened));
  return (now) =>
    model.connection === 'live' &&
    !document.hidden &&
    reporter.shows(view.rig, view.size, devicePixelRatio, now);
}

function isNear(a: Shown, b: Shown): boolean {
  const moved = [
    a.x - b.x,
    a.y - b.y,
    a.x + a.width - b.x - b.width,
    a.y + a.height - b.y - b.height,
  ];
  return moved.every((by) => Math.abs(by) < LOOK_STEP) && a.pixels < 1 === b.pixels < 1;
}

/**
 * Maximum distance between a pointer and the organism that it selects, in cells. Presses may miss,
 * because fingers are wide, seeds are small, and organisms have holes.
 */
const REACH = 3;

/**
 * Finds the organism at a position or, if there is none, the nearest organism within `REACH`.
 *
 * @returns the organism's id; 0 if no organism was found
 */
export function organismAt(model: Pick<RoomModel, 'planes' | 'organisms'>, { x, y }: Point) {
  const { planes, organisms } = model;
  if (!planes || x < 0 || y < 0 || x >= planes.width || y >= planes.height) return 0;
  const here = planes.owner[Math.floor(y) * planes.width + Math.floor(x)];
  if (organisms.has(here)) return here;
  const nearest = nearestCell(model, { x, y }, REACH);
  if (nearest) return nearest.id;
  for (const { id, x: seedX, y: seedY, stage } of organisms.values()) {
    if (stage < 8 && Math.hypot(seedX - x, seedY - y) < Math.max(REACH, stage / 4)) return id;
  }
  return 0;
}

/**
 * Finds the nearest cell that belongs to an organism, at a distance of less than `reach` cells.
 *
 * @param counts returns whether to consider an organism's cells; by default, considers all cells
 * @returns the centre of the cell and the id of its organism; undefined if there is no such cell
 */
export function nearestCell(
  { planes, organisms }: Pick<RoomModel, 'planes' | 'organisms'>,
  { x, y }: Point,
  reach: number,
  counts: (organism: OrganismView) => boolean = () => true,
): (Point & { readonly id: OrganismId }) | undefined {
  let nearest: (Point & { readonly id: OrganismId }) | undefined;
  if (!planes) return nearest;
  const { width, height, owner } = planes;
  const [column, row] = [Math.floor(x), Math.floor(y)];
  let least = reach;
  for (let j = Math.max(0, row - reach); j <= Math.min(height - 1, row + reach); j++) {
    for (let i = Math.max(0, column - reach); i <= Math.min(width - 1, column + reach); i++) {
      const distance = Math.hypot(i + 0.5 - x, j + 0.5 - y);
      const organism = organisms.get(owner[j * width + i]);
      if (distance >= least || !organism || !counts(organism)) continue;
      nearest = { x: i + 0.5, y: j + 0.5, id: organism.id };
      least = distance;
    }
  }
  return nearest;
}

export interface PointerSample {
  readonly id: number;
  readonly touch: boolean;
  /** Position in CSS pixels of the view. */
  readonly x: number;
  readonly y: number;
  /**
   * Whether the pointer moves the view instead of using the tool, because the right or middle
   * button is pressed or the space bar is held.
   */
  readonly pan: boolean;
  /** Whether the press has already been used to close a panel. */
  readonly spent?: boolean;
}

/** Receives the pointer's gestures over a canvas. */
export interface CanvasHand {
  toolStart(x: number, y: number, now: number): void;
  toolMove(x: number, y: number, now: number): void;
  /**
   * Called when the pointer is lifted.
   *
   * @param tap true if the pointer has hardly moved since the press
   */
  toolEnd(x: number, y: number, tap: boolean, now: number): void;
  /** Called when the gesture is interrupted, for example by a second finger. */
  toolCancel(now: number): void;
  hover(x: number, y: number, now: number): void;
  panBy(dx: number, dy: number, now: number): void;
  panEnd(now: number): void;
  zoomAbout(x: number, y: number, factor: number): void;
  /** Called when two fingers tap, or one finger taps twice. */
  doubleTap(x: number, y: number, fingers: 1 | 2): void;
  /** Called when the pointer has left the canvas. */
  leave(now: number): void;
  /**
   * Called when the visitor presses the canvas. Closes an open panel, if any.
   *
   * @returns whether a panel was closed; if so, the press must have no other effect
   */
  dismiss?(): boolean;
}

type State = 'idle' | 'waiting' | 'tool' | 'pan' | 'pinch' | 'spent';

/** Maximum distance that a pointer may move during a tap, in CSS pixels. */
const SLOP = 8;
/** A finger that hardly moves starts to use the tool after this delay, in ms. */
const WAIT = 110;
/**
 * Maximum distance between the two taps of a double tap: `DOUBLE` in time, in ms, and `DOUBLE_SLOP`
 * in space, in CSS pixels.
 */
const DOUBLE = 320;
const DOUBLE_SLOP = 28;

/**
 * Turns pointer samples into uses of the tool, pans, pinches and double taps. One finger or the
 * main mouse button uses the tool. Two fingers, any other mouse button, or the mouse with the space
 * bar held move the view. A finger starts to use the tool after a short delay, because a second
 * finger may follow.
 */
export class Gestures {
  private state: State = 'idle';
  private readonly held = new Map<number, { x: number; y: number }>();
  private start = { x: 0, y: 0, at: 0 };
  private moved = 0;
  private pinchMoved = 0;
  private lastTap = { x: 0, y: 0, at: Number.NEGATIVE_INFINITY };

  constructor(private readonly target: CanvasHand) {}

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
    // After a pinch, the remaining fingers have no effect until all fingers are lifted.
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
 * Maximum length of the part of a stroke in one message, in cells. It is slightly below the
 * server's limit, because rounding may lengthen the part.
 */
const MAX_LENGTH = STROKE_LIMITS.maxLength * 0.98;
const MAX_POINTS = STROKE_LIMITS.maxPoints;
/**
 * Minimum time between two messages about a stroke, in ms. A full message is sent without waiting.
 */
const SEGMENT_INTERVAL = 50;
/** Minimum distance between two points of a stroke, in cells. Closer points are left out. */
const MIN_STEP = 0.15;

/** Cuts a stroke into segments while the visitor draws it. Each segment fits into one message. */
export class StrokeSegmenter {
  /**
   * Points of the next message, as x, y, x, y, … The first point repeats the last point of the
   * previous message, so that no gap appears.
   */
  private points: number[] = [];
  private length = 0;
  private fresh = false;
  private sentAt = Number.NEGATIVE_INFINITY;

  /**
   * @param emit receives the points of one message, as x, y, x, y, …: at most 64 points, all within
   *   the grid, on a path of at most 512 cells
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
    if (this.fresh && now - this.sentAt >= SEGMENT_INTERVAL) this.flush(now);
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
