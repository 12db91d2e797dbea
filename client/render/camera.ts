/**
 * The camera: the point at the centre of the view (in cells), and a zoom (in CSS pixels per cell).
 * `CameraRig` moves a camera over time: it glides to a target, and coasts after a quick drag.
 */
import type { Rect } from '../../shared/geometry.ts';

export type Point = Readonly<Record<'x' | 'y', number>>;
export type Size = Readonly<Record<'width' | 'height', number>>;
export type Camera = Point & { readonly zoom: number };

/** Space at the edges of the view that panels cover, in CSS pixels. */
export type Insets = Readonly<Record<'top' | 'right' | 'bottom' | 'left', number>>;

/** Maximum zoom, in CSS pixels per cell. */
const MAX_ZOOM = 64;

/**
 * Converts a point of the view, in CSS pixels from its upper left corner, to a grid position, in
 * cells.
 */
export function screenToWorld(camera: Camera, view: Size, point: Point): Point {
  return {
    x: camera.x + (point.x - view.width / 2) / camera.zoom,
    y: camera.y + (point.y - view.height / 2) / camera.zoom,
  };
}

/**
 * Converts a grid position, in cells, to a point of the view, in CSS pixels from its upper left
 * corner.
 */
export function worldToScreen(camera: Camera, view: Size, point: Point): Point {
  return {
    x: (point.x - camera.x) * camera.zoom + view.width / 2,
    y: (point.y - camera.y) * camera.zoom + view.height / 2,
  };
}

/** Moves the camera by a distance in CSS pixels. */
export function panBy(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, x: camera.x - dx / camera.zoom, y: camera.y - dy / camera.zoom };
}

/** Changes the zoom by a factor around a point of the view, which keeps showing the same cell. */
export function zoomAbout(
  camera: Camera,
  view: Size,
  point: Point,
  { factor, minZoom = 0.1 }: { readonly factor: number; readonly minZoom?: number },
): Camera {
  const zoom = Math.max(minZoom, Math.min(MAX_ZOOM, camera.zoom * factor));
  const held = screenToWorld(camera, view, point);
  return {
    zoom,
    x: held.x - (point.x - view.width / 2) / zoom,
    y: held.y - (point.y - view.height / 2) / zoom,
  };
}

/**
 * Returns a camera that shows the whole grid, as large as possible, between the panels.
 *
 * @param insets space that panels cover
 */
export function fitGrid(grid: Size, view: Size, insets: Insets): Camera {
  const width = Math.max(1, view.width - insets.left - insets.right);
  const height = Math.max(1, view.height - insets.top - insets.bottom);
  const zoom = Math.min(width / grid.width, height / grid.height);
  return {
    zoom,
    x: grid.width / 2 + (insets.right - insets.left) / 2 / zoom,
    y: grid.height / 2 + (insets.bottom - insets.top) / 2 / zoom,
  };
}

/** Limits a camera's zoom, and keeps its centre inside the grid. */
function keepNear(camera: Camera, grid: Size, minZoom: number): Camera {
  return {
    zoom: Math.max(minZoom, Math.min(MAX_ZOOM, camera.zoom)),
    x: Math.max(0, Math.min(grid.width, camera.x)),
    y: Math.max(0, Math.min(grid.height, camera.y)),
  };
}

/** Time constant of camera moves that the visitor makes with keys or buttons, in ms. */
const GLIDE = 90;
/** Time constant of automatic camera moves, in ms. */
const STROLL = 240;
/**
 * Automatic moves start slowly, and reach full speed after this time, in ms. So the server has time
 * to send the cells that will come into view.
 */
const START = 400;
const COAST = 160;
/** Maximum zoom that automatic moves choose, in CSS pixels per cell. */
const CLOSEST = 10;
/** Width and height of the area to show around an organism, as multiples of the organism's side. */
const FRAME = { width: 2, height: 1.7 };
/**
 * The camera shows growing organisms a little larger: it multiplies its zoom by (side length when
 * fully grown / current side length) to the power `CLOSER`.
 */
const CLOSER = 0.12;
/**
 * If a drag ends faster than this, in CSS pixels per ms, the camera coasts: it moves on and slows
 * down.
 */
const MIN_THROW = 0.12;
/** Minimum time between two measurements of a drag's velocity, in ms. */
const MOMENT = 6;

/** Moves a camera over time: glides to a target, and coasts after a quick drag. */
export class CameraRig {
  camera: Camera = { x: 0, y: 0, zoom: 1 };
  /**
   * Whether the camera jumps instead of moving smoothly, for visitors who prefer reduced motion.
   */
  calm = false;
  private target: Camera | undefined;
  private glide = GLIDE;
  /** Time since the current glide began, in ms. */
  private glided = 0;
  /**
   * Zoom for the followed organism when it is fully grown; undefined if the camera follows no
   * organism.
   */
  private followZoom: number | undefined;
  private velocity = { x: 0, y: 0 };
  /** Distance dragged since the velocity was last measured, in CSS pixels. */
  private way = { x: 0, y: 0 };
  private coasting = false;
  private movedAt = 0;
  private steppedAt = Number.NEGATIVE_INFINITY;
  private grid: Size = { width: 1, height: 1 };
  private view: Size = { width: 1, height: 1 };
  private insets: Insets = { top: 0, right: 0, bottom: 0, left: 0 };
  private margins = this.insets;
  /**
   * Whether the camera shows, or is gliding to, the whole grid. If true, `layout` fits the camera
   * to a new window size.
   */
  isFitted = true;

  /**
   * Whether the camera follows an organism. It stops following when the visitor moves the camera.
   */
  get isFollowing(): boolean {
    return this.followZoom !== undefined;
  }

  /** The camera at the end of the current movement. */
  get heading(): Camera {
    const { x, y } = this.velocity;
    return this.target ?? panBy(this.camera, x * COAST, y * COAST);
  }

  /** The part of the grid that is visible between the panels, in cells. */
  get shown(): Rect {
    const { left, right, top, bottom } = this.insets;
    const { width, height } = this.view;
    const { zoom } = this.camera;
    const { x, y } = screenToWorld(this.camera, this.view, { x: left, y: top });
    return { x, y, width: (width - left - right) / zoom, height: (height - top - bottom) / zoom };
  }

  /** Centre of the space that panels leave free, in CSS pixels. */
  get middle(): Point {
    const { left, right, top, bottom } = this.insets;
    const { width, height } = this.view;
    return { x: (width + left - right) / 2, y: (height + top - bottom) / 2 };
  }

  /**
   * Sets the sizes of the grid, the view and the panels. If `isFitted`, shows the whole grid again.
   *
   * @param insets space that panels cover; organisms are shown in the remaining space
   * @param margins space to leave free around the whole grid
   */
  layout(grid: Size, view: Size, insets: Insets, margins = insets): void {
    Object.assign(this, { grid, view, insets, margins });
    if (!this.isFitted) return;
    this.camera = this.home();
    this.target = undefined;
  }

  /** Shows a part of the grid immediately, without a glide. */
  open(camera: Camera): void {
    this.isFitted = false;
    this.camera = camera;
  }

  fit(): void {
    this.isFitted = true;
    this.go(this.home());
  }

  /** Glides to the position and zoom of another camera. */
  goTo(camera: Camera): void {
    this.isFitted = false;
    this.go(camera, STROLL);
  }

  /**
   * Glides to an organism, and shows it in the centre of the space that panels leave free. Changes
   * the zoom only if the organism would be too small or not wholly visible.
   *
   * @param side side length of the fully grown organism, in cells
   */
  show(at: Point, side: number): void {
    this.aim(at, this.zoomFor(side));
  }

  /**
   * Glides just far enough to make a whole organism visible in a part of the view. Zooms out only
   * if the organism is larger than this part.
   *
   * @param insets space at each edge of the view to keep clear of the organism, in CSS pixels
   */
  reveal(at: Point, side: number, { left, right, top, bottom }: Insets): void {
    const { heading, view } = this;
    const [width, height] = [view.width - left - right, view.height - top - bottom];
    const zoom = Math.max(this.minZoom(), Math.min(heading.zoom, width / side, height / side));
    const { x, y } = worldToScreen({ ...heading, zoom }, view, at);
    const half = (side * zoom) / 2;
    const way = (from: number, least: number, most: number): number =>
      Math.max(least + half - from, Math.min(most - half - from, 0));
    const dx = way(x, left, left + width);
    const dy = way(y, top, top + height);
    if (dx === 0 && dy === 0 && zoom === heading.zoom) return;
    this.isFitted = false;
    this.go(panBy({ ...heading, zoom }, dx, dy), STROLL);
  }

  /** Glides to a position without changing the zoom. */
  centre(at: Point): void {
    this.aim(at, this.heading.zoom);
  }

  /**
   * Shows a growing organism, and follows it until the visitor moves the camera. Call this method
   * at each new stage of the organism.
   *
   * @param side side length of the fully grown organism, in cells
   * @param stage current side length of the organism, in cells
   */
  follow(at: Point, side: number, stage: number): void {
    const zoom = this.followZoom ?? this.zoomFor(side);
    // With reduced motion, a zoom that depends on the stage would make the view jump at each stage.
    this.aim(at, this.calm ? zoom : zoom * (side / stage) ** CLOSER);
    this.followZoom = zoom;
  }

  /** Stops all movement of the camera. */
  stay(): void {
    if (this.target) this.isFitted = false;
    this.target = undefined;
    this.coasting = false;
    this.followZoom = undefined;
  }

  /** Glides to show a whole area of the grid, in the centre of the space that panels leave free. */
  match(part: Rect): void {
    const zoom = Math.max(this.minZoom(), fitGrid(part, this.view, this.insets).zoom);
    const centre = { x: part.x + part.width / 2, y: part.y + part.height / 2 };
    this.aim(centre, Math.min(MAX_ZOOM, zoom));
  }

  panBy(dx: number, dy: number, now: number): void {
    this.way.x += dx;
    this.way.y += dy;
    this.set(panBy(this.camera, dx, dy));
    const elapsed = now - this.movedAt;
    // A drag with two fingers causes two events, one per finger, less than `MOMENT` apart. Measure
    // them together.
    if (elapsed < MOMENT) return;
    const share = elapsed > 100 ? 1 : 0.4;
    this.velocity.x += (this.way.x / elapsed - this.velocity.x) * share;
    this.velocity.y += (this.way.y / elapsed - this.velocity.y) * share;
    this.way = { x: 0, y: 0 };
    this.movedAt = now;
  }

  /** Ends a drag. The camera coasts if the visitor was still moving fast. */
  release(now: number): void {
    const speed = Math.hypot(this.velocity.x, this.velocity.y);
    this.coasting = !this.calm && now - this.movedAt < 60 && speed > MIN_THROW;
    if (!this.coasting) this.velocity = { x: 0, y: 0 };
    this.way = { x: 0, y: 0 };
  }

  zoomAbout(x: number, y: number, factor: number): void {
    const { camera, view } = this;
    this.set(zoomAbout(camera, view, { x, y }, { factor, minZoom: this.minZoom() }));
  }

  /** Moves the view by a distance in CSS pixels, and changes the zoom by a factor, in a glide. */
  glideBy(dx: number, dy: number, factor: number): void {
    const from = this.target ?? this.camera;
    const minZoom = this.minZoom();
    const zoomed = zoomAbout(from, this.view, this.middle, { factor, minZoom });
    this.isFitted = false;
    this.go(keepNear(panBy(zoomed, dx, dy), this.grid, minZoom));
  }

  /**
   * Advances the camera to time `now`, in ms.
   *
   * @returns whether the camera is still moving
   */
  step(now: number): boolean {
    const elapsed = Math.min(64, now - this.steppedAt);
    this.steppedAt = now;
    if (this.coasting) {
      const { x, y } = this.velocity;
      this.set(panBy(this.camera, x * elapsed, y * elapsed), true);
      const decay = Math.exp(-elapsed / COAST);
      this.velocity = { x: x * decay, y: y * decay };
      this.coasting = Math.hypot(x, y) * decay > 0.01;
      if (!this.coasting) this.velocity = { x: 0, y: 0 };
    }
    if (this.target) {
      this.glided += elapsed;
      const pace = this.glide === STROLL ? Math.min(1, this.glided / START) : 1;
      const share = 1 - Math.exp((-elapsed * pace) / this.glide);
      const { camera } = this;
      const { x, y, zoom } = this.target;
      this.camera = {
        x: camera.x + (x - camera.x) * share,
        y: camera.y + (y - camera.y) * share,
        zoom: camera.zoom * (zoom / camera.zoom) ** share,
      };
      const off = Math.hypot(this.camera.x - x, this.camera.y - y) * zoom;
      if (off < 0.3 && Math.abs(this.camera.zoom / zoom - 1) < 0.001) {
        this.camera = this.target;
        this.target = undefined;
      }
    }
    return this.coasting || this.target !== undefined;
  }

  private aim({ x, y }: Point, zoom: number): void {
    const { middle, view } = this;
    const [dx, dy] = [(middle.x - view.width / 2) / zoom, (middle.y - view.height / 2) / zoom];
    this.isFitted = false;
    this.go({ x: x - dx, y: y - dy, zoom }, STROLL);
  }

  /**
   * Returns the zoom at which to show an organism: the current zoom, or the nearest zoom at which
   * the organism is easy to see and wholly visible.
   */
  private zoomFor(side: number): number {
    const fits = (width: number, height: number): number =>
      fitGrid({ width: width * side, height: height * side }, this.view, this.insets).zoom;
    const least = Math.min(CLOSEST, fits(FRAME.width, FRAME.height));
    return Math.max(least, Math.min(fits(1, 1), this.heading.zoom));
  }

  private go(target: Camera, glide = GLIDE): void {
    // If the camera is already gliding, it keeps its speed. Otherwise, the new glide may start
    // slowly.
    if (!this.target) this.glided = 0;
    this.velocity = { x: 0, y: 0 };
    this.coasting = false;
    this.followZoom = undefined;
    this.glide = glide;
    this.target = this.calm ? undefined : target;
    if (this.calm) this.camera = target;
  }

  private set(camera: Camera, coasting = false): void {
    this.camera = keepNear(camera, this.grid, this.minZoom());
    this.target = undefined;
    this.followZoom = undefined;
    this.coasting = coasting;
    this.isFitted = false;
  }

  private home(): Camera {
    return fitGrid(this.grid, this.view, this.margins);
  }

  private minZoom(): number {
    return this.home().zoom * 0.6;
  }
}
