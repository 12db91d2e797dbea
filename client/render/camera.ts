/** The camera: a centre in cells and a zoom in CSS pixels per cell. Pure functions. */

export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Space that panels cover at the sides of the view, CSS pixels. */
export interface Insets {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export const MAX_ZOOM = 64;

/** Converts a point of the view, in CSS pixels from its upper left, to a grid position in cells. */
export function screenToWorld(camera: Camera, view: Size, point: Point): Point {
  return {
    x: camera.x + (point.x - view.width / 2) / camera.zoom,
    y: camera.y + (point.y - view.height / 2) / camera.zoom,
  };
}

/** Converts a grid position, in cells, to CSS pixels from the view's upper left. */
export function worldToScreen(camera: Camera, view: Size, point: Point): Point {
  return {
    x: (point.x - camera.x) * camera.zoom + view.width / 2,
    y: (point.y - camera.y) * camera.zoom + view.height / 2,
  };
}

/** Pans by a distance in CSS pixels. */
export function panBy(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, x: camera.x - dx / camera.zoom, y: camera.y - dy / camera.zoom };
}

/** Zooms by a factor about a screen point, which stays in place. */
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

/** Fits the whole grid, centred in the space without panels. */
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

/** Keeps the centre of the view on the grid, so that nobody gets lost outside it. */
export function keepNear(camera: Camera, grid: Size, minZoom: number): Camera {
  return {
    zoom: Math.max(minZoom, Math.min(MAX_ZOOM, camera.zoom)),
    x: Math.max(0, Math.min(grid.width, camera.x)),
    y: Math.max(0, Math.min(grid.height, camera.y)),
  };
}

/**
 * Interpolates between two cameras. The zoom is interpolated geometrically, so that zooming looks
 * even.
 */
export function between(from: Camera, to: Camera, share: number): Camera {
  return {
    x: from.x + (to.x - from.x) * share,
    y: from.y + (to.y - from.y) * share,
    zoom: from.zoom * (to.zoom / from.zoom) ** share,
  };
}

/** Radius of the lens, in CSS pixels. Must match the lens's CSS. */
export const LENS_RADIUS = 60;
/** Distance from the middle of the finger to the edge of the lens, in CSS pixels. */
const GAP = 42;
const ENLARGEMENT = 2;

/**
 * Computes the centre of the lens, which is above the finger, because hands come from below. Near
 * the upper edge the lens moves around the finger, to the side with more room.
 *
 * @param finger CSS pixels of the view
 */
export function lensPlace(finger: Point, { width, height }: Size): Point {
  const reach = LENS_RADIUS + GAP;
  const inside = (at: number, size: number): number =>
    Math.max(LENS_RADIUS, Math.min(size - LENS_RADIUS, at));
  const y = inside(finger.y - reach, height);
  const beside = Math.sqrt(Math.max(0, reach ** 2 - (finger.y - y) ** 2));
  const way = finger.x < width / 2 ? 1 : -1;
  return { x: inside(finger.x + way * beside, width), y };
}

/** Shows a part of one canvas, enlarged, on another canvas. */
export class Lens {
  private readonly pen: CanvasRenderingContext2D | null;
  private isTouched = false;

  /** @param signal removes the lens when it aborts */
  constructor(
    private readonly source: HTMLCanvasElement,
    private readonly element: HTMLCanvasElement,
    signal: AbortSignal,
  ) {
    this.pen = element.getContext('2d');
    const touched = ({ pointerType }: PointerEvent): void => {
      this.isTouched = pointerType === 'touch';
    };
    source.addEventListener('pointerdown', touched, { signal });
  }

  /**
   * Draws the lens. Call it right after the source is drawn, because the source's pixels are gone
   * once the browser has shown them.
   *
   * @param pointer position of the cutting pointer, CSS pixels; the lens appears only for touch
   * @param view size of the source, CSS pixels
   */
  draw(pointer: Point | undefined, view: Size): void {
    const { element, source, pen } = this;
    const isShown = pen !== null && pointer !== undefined && this.isTouched;
    // Setting it costs the page a new style even if it stays the same.
    if (element.hidden === isShown) element.hidden = !isShown;
    if (!isShown) return;
    const ratio = source.width / view.width;
    const side = Math.round(2 * LENS_RADIUS * ratio);
    // Setting the size also clears the canvas.
    element.width = element.height = side;
    const { x, y } = lensPlace(pointer, view);
    element.style.translate = `${x - LENS_RADIUS}px ${y - LENS_RADIUS}px`;
    const part = side / ENLARGEMENT;
    const [left, top] = [pointer.x, pointer.y].map((at) => at * ratio - part / 2);
    pen.drawImage(source, left, top, part, part, 0, 0, side, side);
  }
}
