/** Draws the room of a wall. */

import type { Planes } from '../../shared/codec/chunks.ts';
import type { Rect } from '../../shared/geometry.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';
import {
  type Camera,
  fitGrid,
  type Insets,
  type Point,
  type Size,
  worldToScreen,
} from '../render/camera.ts';
import { CanvasView, type Framing } from '../render/canvas-view.ts';
import { Resolution } from '../render/frame-pacing.ts';
import { driftAt } from '../render/shaders/scene.ts';
import type { RoomModel } from '../room/room-model.ts';
import { CLOSE_UP_GLIDE, type CloseUps } from './close-ups.ts';
import type { WallOptions } from './wall-options.ts';

/** Width of the glass rim drawn around the grid, in cells. */
const RIM = 3;

/**
 * Slow movement (drift) of a wall's camera: amplitudes, as shares of the view, and periods, in
 * seconds. The periods have no common factor, so the movement does not repeat within a day.
 */
const DRIFT = { x: 0.009, y: 0.005, zoom: 0.01, periods: [97, 131, 173] } as const;

/**
 * Side length of the square that a close-up must show, as a multiple of a grown organism's side
 * length.
 */
const CLOSE = 2.2;

/** Width of the empty ground that must surround a text, in cells. */
const MARGIN = 1.5;

type Owners = Pick<Planes, 'width' | 'height' | 'owner'>;

/** Returns whether `is` returns true for at least one cell in an area. */
function someOwner(
  { width, height, owner }: Owners,
  area: Rect,
  is: (id: number, x: number, y: number) => boolean,
): boolean {
  const [right, lower] = [area.x + area.width, area.y + area.height];
  for (let y = Math.max(0, Math.floor(area.y)); y < Math.min(height, lower); y++) {
    for (let x = Math.max(0, Math.floor(area.x)); x < Math.min(width, right); x++) {
      if (is(owner[y * width + x], x, y)) return true;
    }
  }
  return false;
}

/** Returns whether no cell in an area (in cells) belongs to an organism. */
export const isBare = (planes: Owners, area: Rect): boolean =>
  !someOwner(planes, area, (id) => id !== 0);

/**
 * Returns the bounding box of an organism's cells. If the organism has no cells yet, returns an
 * empty box at its centre.
 */
export function bodyOf(planes: Owners, { id, x, y, side }: OrganismView): Rect {
  let [left, top, right, bottom] = [x, y, x, y];
  const patch = { x: x - side / 2, y: y - side / 2, width: side, height: side };
  someOwner(planes, patch, (owner, i, j) => {
    if (owner !== id) return false;
    [left, top] = [Math.min(left, i), Math.min(top, j)];
    [right, bottom] = [Math.max(right, i + 1), Math.max(bottom, j + 1)];
    return false;
  });
  return { x: left, y: top, width: right - left, height: bottom - top };
}

type Region = Pick<WallOptions, 'columns' | 'rows' | 'column' | 'row' | 'bezel'>;

/** Returns the size of a video wall, including the gaps between its screens, in CSS pixels. */
export function wholeView(screen: Size, { columns, rows, bezel }: Region): Size {
  return {
    width: columns * screen.width + (columns - 1) * bezel,
    height: rows * screen.height + (rows - 1) * bezel,
  };
}

/** Returns the length of the shorter side of the strip of texts, in CSS pixels. */
export const stripOf = ({ width, height }: Size): number =>
  width < height ? 0.27 * width : Math.min(0.165 * width, 0.29 * height);

/**
 * Returns the area of a video wall relative to the upper left corner of one screen, in CSS pixels.
 */
export function wholeAround(screen: Size, region: Region): Rect {
  const { column, row, bezel } = region;
  const [x, y] = [-column * (screen.width + bezel), -row * (screen.height + bezel)];
  return { x, y, ...wholeView(screen, region) };
}

/** Converts a camera for a whole video wall to the camera for one of its screens. */
export function regionOf(whole: Camera, screen: Size, region: Region): Camera {
  const view = wholeView(screen, region);
  const centre = (at: number, side: number): number => at * (side + region.bezel) + side / 2;
  return {
    ...whole,
    x: whole.x + (centre(region.column, screen.width) - view.width / 2) / whole.zoom,
    y: whole.y + (centre(region.row, screen.height) - view.height / 2) / whole.zoom,
  };
}

/**
 * Returns a camera that shows the whole grid in the space that texts leave free. If `frame` is
 * 'fill', the grid covers the whole view instead.
 *
 * @param view size of the whole wall, in CSS pixels
 * @param insets space at the edges of the wall that texts cover
 */
export function frameOf(frame: WallOptions['frame'], grid: Size, view: Size, insets: Insets) {
  if (frame !== 'fill') {
    const rimmed = { width: grid.width + 2 * RIM, height: grid.height + 2 * RIM };
    const { x, y, zoom } = fitGrid(rimmed, view, insets);
    return { zoom, x: x - RIM, y: y - RIM };
  }
  const zoom = Math.max(view.width / grid.width, view.height / grid.height);
  return { zoom, x: grid.width / 2, y: grid.height / 2 };
}

/**
 * Returns the camera for a close-up. Near the edge of the grid, moves the camera inwards to show
 * less of the area outside the grid.
 *
 * @param at the centre of the close-up, in cells
 * @param side side length of a fully grown organism, in cells
 * @param home the camera that shows the whole room
 * @param scene `grid`: size of the grid; `view`: size of the whole wall; `insets`: space at the
 *   edges of the wall that texts cover
 */
export function closeUpOf(
  at: Point,
  side: number,
  home: Camera,
  scene: { grid: Size; view: Size; insets: Insets },
): Camera {
  const { grid, view, insets } = scene;
  const part = { width: CLOSE * side, height: CLOSE * side };
  const zoom = Math.max(home.zoom, fitGrid(part, view, insets).zoom);
  const inside = (place: number, length: number, before: number, after: number, all: number) => {
    const half = (all - before - after) / zoom / 2;
    const [least, most] = [half - RIM, length + RIM - half];
    const middle = least < most ? Math.max(least, Math.min(most, place)) : length / 2;
    return middle + (after - before) / 2 / zoom;
  };
  return {
    zoom,
    x: inside(at.x, grid.width, insets.left, insets.right, view.width),
    y: inside(at.y, grid.height, insets.top, insets.bottom, view.height),
  };
}

/**
 * Adds drift to a camera.
 *
 * @param home the camera without drift
 * @param seconds time in seconds, counted from any fixed moment
 */
export function drifted(
  home: Camera,
  { grid, view, frame }: { grid: Size; view: Size; frame: WallOptions['frame'] },
  seconds: number,
): Camera {
  const [a, b, c] = DRIFT.periods.map((period) => Math.sin((2 * Math.PI * seconds) / period));
  if (frame === 'fill') {
    // Pan slowly over the parts of the grid that do not fit on the screen.
    const hidden = (axis: keyof Size) => Math.max(0, grid[axis] - view[axis] / home.zoom) / 2;
    return { ...home, x: home.x + a * hidden('width'), y: home.y + b * hidden('height') };
  }
  return {
    x: home.x + (a * DRIFT.x * view.width) / home.zoom,
    y: home.y + (b * DRIFT.y * view.height) / home.zoom,
    zoom: home.zoom * (1 - DRIFT.zoom * (0.5 + 0.5 * c)),
  };
}

const NOTHING = { selected: 0, hovered: 0, second: 0 } as const;
/** How long a wall's resolution stays lowered before a higher resolution is tried again, in ms. */
const PATIENCE = 60_000;
/**
 * Minimum length of a gap between two frames that counts as a pause, in ms. Shorter gaps count as
 * slow frames.
 */
const PAUSE = 5_000;
/** Duration of each glide to or from the host's close-up, in ms. */
const GLIDE = 4_000;

/**
 * Returns a camera between two cameras. Keeps one point of the picture in place while the zoom
 * changes.
 */
function approach(from: Camera, to: Camera, share: number): Camera {
  const ratio = to.zoom / from.zoom;
  const zoom = from.zoom * ratio ** share;
  const way = Math.abs(ratio - 1) < 0.01 ? share : (1 - from.zoom / zoom) / (1 - 1 / ratio);
  return { zoom, x: from.x + (to.x - from.x) * way, y: from.y + (to.y - from.y) * way };
}

export class WallView extends CanvasView {
  camera: Camera = { x: 0, y: 0, zoom: 1 };
  drawn = 0;
  protected override readonly breathes = Number.POSITIVE_INFINITY;
  private insets: Insets = { top: 0, right: 0, bottom: 0, left: 0 };
  private home: Camera | undefined;
  /** Chooses the events to show in close-up. Ignored while a place chosen by the host is shown. */
  closeUps: CloseUps | undefined;
  /** Called when a close-up of an event begins, and when it ends. */
  onEvent: () => void = () => {};
  /** The organism whose event is shown in close-up. */
  event: OrganismView | undefined;
  /** The place that the host has chosen for a close-up. */
  private place: Point | undefined;
  /**
   * The current camera (`now`), and the camera at the end of the current glide (`goal`), both for
   * the whole wall.
   */
  private now: Camera | undefined;
  private goal: Camera | undefined;
  /**
   * The current glide. `from`: camera at its start; `time`: its duration, in ms; `since`: its
   * start, in ms.
   */
  private glide: { readonly from: Camera; readonly time: number; since?: number } | undefined;
  /**
   * Whether the picture is still moving, so that the next frame follows without a pause. After a
   * pause, the time between two frames says nothing about this computer's speed.
   */
  private busy = false;

  /** @throws GlError if this browser has no WebGL2 */
  constructor(
    canvas: HTMLCanvasElement,
    model: RoomModel,
    private readonly options: WallOptions,
  ) {
    super(canvas, model, new Resolution(PATIENCE, PAUSE));
  }

  /** Whether the last frame was softened to prevent flashes. */
  get isSoft(): boolean {
    return this.unsettled;
  }

  /** @param insets space at the edges of the whole wall that texts cover, in CSS pixels */
  layout(view: Size, insets: Insets): void {
    Object.assign(this, { view, insets });
    this.home = undefined;
    this.loop.invalidate();
  }

  /** Glides to a close-up of a place; if `place` is undefined, glides back to the whole room. */
  showPlace(place: Point | undefined): void {
    if (place?.x === this.place?.x && place?.y === this.place?.y) return;
    this.place = place;
    this.startGlide(GLIDE);
    this.loop.invalidate();
  }

  private startGlide(time: number): void {
    const { calm } = this.happenings.effects;
    this.glide = this.now && !calm ? { from: this.now, time } : undefined;
  }

  get isGliding(): boolean {
    return this.glide !== undefined;
  }

  /** The camera at the end of the current glide. */
  get heading(): Camera {
    return this.goal ? regionOf(this.goal, this.view, this.options) : this.camera;
  }

  /**
   * If `calm`, turns off drift, close-ups of events and other movement (prefers-reduced-motion).
   */
  setCalm(calm: boolean): void {
    this.happenings.effects.calm = calm;
    this.loop.invalidate();
  }

  protected override get ratio(): number {
    return this.options.resolution === 'full' ? devicePixelRatio : super.ratio;
  }

  /**
   * Shows other planes (colours and owners of all cells) instead of the room's, such as those of a
   * film. If `planes` is undefined, shows the room again.
   *
   * @param step time until the next planes will be shown, in ms
   */
  showInstead(planes: Planes | undefined, step?: number): void {
    this.isAway = planes !== undefined;
    const shown = planes ?? this.model.planes;
    if (!shown) return;
    const { width, height } = shown;
    this.upload(shown, [{ x: 0, y: 0, width, height }], [], step);
    this.loop.invalidate();
  }

  /** The room's own planes (colours and owners of all cells), even while others are shown. */
  get planes(): Planes | undefined {
    return this.model.planes;
  }

  /**
   * Returns whether an area is completely in the view and contains no organisms.
   *
   * @param area in CSS pixels
   */
  isBare({ x, y, width, height }: Rect): boolean {
    const { planes, view } = this;
    const isInside = x >= 0 && y >= 0 && x + width <= view.width && y + height <= view.height;
    if (!planes || !isInside) return false;
    const from = this.toWorld({ x, y });
    const to = this.toWorld({ x: x + width, y: y + height });
    return isBare(planes, {
      ...{ x: from.x - MARGIN, y: from.y - MARGIN },
      ...{ width: to.x - from.x + 2 * MARGIN, height: to.y - from.y + 2 * MARGIN },
    });
  }

  /**
   * Returns whether a place is in the view. During a glide, assumes the view at the end of the
   * glide.
   */
  isSeen(place: Point): boolean {
    const { x, y } = worldToScreen(this.heading, this.view, place);
    return x > 0 && y > 0 && x < this.view.width && y < this.view.height;
  }

  get room(): RoomModel['room'] {
    return this.model.room;
  }

  protected override draw(now: number): boolean {
    if (!this.busy) this.resolution.rest(now);
    this.drawn++;
    this.busy = super.draw(now);
    return this.busy;
  }

  protected frame(now: number): Framing {
    const { camera, options, view } = this;
    const { calm } = this.happenings.effects;
    return {
      ...{ camera, whole: wholeAround(view, options), highlights: NOTHING },
      ...{ time: calm ? 0 : driftAt(now), crisp: false, faded: 0 },
    };
  }

  protected move(now: number): boolean {
    const { model, options, view, insets } = this;
    if (!model.room) return false;
    const whole = wholeView(view, options);
    this.home ??= frameOf(options.frame, model.room, whole, insets);
    const scene = { grid: model.room, view: whole, frame: options.frame, insets };
    const { side = 32 } = model.checkpoint ?? {};
    this.direct(now, side);
    const place = this.place ?? this.event;
    const drifts = options.frame !== 'fixed' && !this.happenings.effects.calm && !place;
    if (place) this.goal = closeUpOf(place, side, this.home, scene);
    else this.goal = drifts ? drifted(this.home, scene, now / 1000) : this.home;
    this.now = this.glided(this.goal, now);
    this.camera = regionOf(this.now, view, options);
    return drifts || this.glide !== undefined || this.event !== undefined;
  }

  /**
   * Begins or ends a close-up of an event when it is time to do so.
   *
   * @param side side length of a fully grown organism, in cells
   */
  private direct(now: number, side: number): void {
    const isFree = !this.place && !this.isAway && !this.happenings.effects.calm;
    const shown = isFree ? this.closeUps?.at(now, (CLOSE * side) / 2)?.organism : undefined;
    if (shown?.id === this.event?.id) return;
    this.event = shown;
    this.startGlide(CLOSE_UP_GLIDE);
    this.onEvent();
  }

  /** Returns the current camera: `goal` or, during a glide, a camera on the way to `goal`. */
  private glided(goal: Camera, now: number): Camera {
    const { glide } = this;
    if (!glide) return goal;
    glide.since ??= now;
    const share = (now - glide.since) / glide.time;
    if (share >= 1) {
      this.glide = undefined;
      return goal;
    }
    return approach(glide.from, goal, share ** 2 * (3 - 2 * share));
  }
}
