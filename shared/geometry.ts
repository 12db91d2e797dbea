/**
 * Plane geometry of the cell grid: windows, strokes and the cells under strokes. All functions are
 * pure.
 */

/**
 * A rectangle of cells. It contains the cell in column i and row j if x ≤ i < x + width and y ≤ j <
 * y + height.
 */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A stroke: a line through `points` (x0, y0, x1, y1, …) with a radius. */
export interface Stroke {
  readonly points: ArrayLike<number>;
  readonly radius: number;
}

/**
 * Returns the window of an organism: side×side cells around a centre at integer coordinates.
 *
 * @param side even
 */
export function windowAround(x: number, y: number, side: number): Rect {
  return { x: x - side / 2, y: y - side / 2, width: side, height: side };
}

/**
 * Returns the square that an organism fills at a growth stage, in the middle of its window.
 *
 * @param stage side length of the square, in cells
 */
export function stageRect(window: Rect, stage: number): Rect {
  const inset = (window.width - stage) / 2;
  return { x: window.x + inset, y: window.y + inset, width: stage, height: stage };
}

/** Returns whether `inner` lies completely inside `outer`. Their edges may touch. */
export function contains(outer: Rect, inner: Rect): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

/** Returns whether two rectangles overlap. Rectangles that only touch do not overlap. */
export function intersects(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/**
 * Finds the nearest position at which a window lies completely on the grid.
 *
 * @param x wanted column of the window's centre
 * @param y wanted row of the window's centre
 * @param side side length of the window, in cells; even
 * @returns the window's centre
 */
export function clampCentre(
  x: number,
  y: number,
  side: number,
  grid: { readonly width: number; readonly height: number },
): { x: number; y: number } {
  const clamp = (v: number, size: number): number =>
    Math.max(side / 2, Math.min(size - side / 2, Math.round(v)));
  return { x: clamp(x, grid.width), y: clamp(y, grid.height) };
}

/** Computes the length of a stroke, in cells. */
export function strokeLength(points: ArrayLike<number>): number {
  let length = 0;
  for (let i = 2; i + 1 < points.length; i += 2) {
    length += Math.hypot(points[i] - points[i - 2], points[i + 1] - points[i - 1]);
  }
  return length;
}

/**
 * Estimates how many cells a stroke covers: its length times its diameter, plus the disc around its
 * first point. Cells that are covered twice count twice.
 *
 * @param goesOn whether the stroke continues an earlier stroke, which has already covered the disc.
 *   If so, the disc is not added
 */
export function sweptCells({ points, radius }: Stroke, goesOn: boolean): number {
  return strokeLength(points) * 2 * radius + (goesOn ? 0 : Math.PI * radius * radius);
}

function strokeBounds({ points, radius }: Stroke): Rect {
  const [xs, ys] = [0, 1].map((axis) => Array.from(points).filter((_, i) => i % 2 === axis));
  const x = Math.floor(Math.min(...xs) - radius);
  const y = Math.floor(Math.min(...ys) - radius);
  const width = Math.ceil(Math.max(...xs) + radius) - x;
  return { x, y, width, height: Math.ceil(Math.max(...ys) + radius) - y };
}

/** Returns a function that measures the squared distance of a point from the segment a–b. */
function squaredDistanceFrom(ax: number, ay: number, bx: number, by: number) {
  const dx = bx - ax;
  const dy = by - ay;
  const lengthSquared = dx * dx + dy * dy;
  return (px: number, py: number): number => {
    const along =
      lengthSquared === 0
        ? 0
        : Math.max(0, Math.min(1, ((px - ax) * dx + (py - ay) * dy) / lengthSquared));
    const ex = px - ax - along * dx;
    const ey = py - ay - along * dy;
    return ex * ex + ey * ey;
  };
}

/**
 * Finds the cells of a rectangle that a stroke covers. A stroke covers each cell whose centre is
 * within `radius` of the stroke's line, and each cell that contains one of the stroke's points.
 *
 * @returns [height × width], 1 = covered; undefined if no cell is covered
 */
export function coverage(stroke: Stroke, rect: Rect): Uint8Array | undefined {
  if (!intersects(strokeBounds(stroke), rect)) return undefined;
  const { points, radius } = stroke;
  const cover = new Uint8Array(rect.width * rect.height);
  let any = false;
  const mark = (i: number, j: number): void => {
    if (i < 0 || j < 0 || i >= rect.width || j >= rect.height) return;
    cover[j * rect.width + i] = 1;
    any = true;
  };
  for (let k = 0; k + 1 < points.length; k += 2) {
    const bx = points[k] - rect.x;
    const by = points[k + 1] - rect.y;
    const ax = k === 0 ? bx : points[k - 2] - rect.x;
    const ay = k === 0 ? by : points[k - 1] - rect.y;
    mark(Math.floor(bx), Math.floor(by));
    const left = Math.max(0, Math.floor(Math.min(ax, bx) - radius));
    const right = Math.min(rect.width, Math.ceil(Math.max(ax, bx) + radius));
    const top = Math.max(0, Math.floor(Math.min(ay, by) - radius));
    const bottom = Math.min(rect.height, Math.ceil(Math.max(ay, by) + radius));
    const distanceSquared = squaredDistanceFrom(ax, ay, bx, by);
    for (let j = top; j < bottom; j++) {
      for (let i = left; i < right; i++) {
        if (distanceSquared(i + 0.5, j + 0.5) <= radius * radius) mark(i, j);
      }
    }
  }
  return any ? cover : undefined;
}

type Size = Pick<Rect, 'width' | 'height'>;

/**
 * Returns a rectangle of the grid that contains all cells that a stroke can cover: the stroke's
 * bounds, enlarged by one cell on each side. Thin strokes need this margin, because a stroke always
 * covers the cells that contain its points.
 */
export function reachOf(stroke: Stroke, grid: Size): Rect {
  const bounds = strokeBounds(stroke);
  const x = Math.max(0, bounds.x - 1);
  const y = Math.max(0, bounds.y - 1);
  const right = Math.min(grid.width, bounds.x + bounds.width + 1);
  const bottom = Math.min(grid.height, bounds.y + bounds.height + 1);
  return { x, y, width: Math.max(0, right - x), height: Math.max(0, bottom - y) };
}

/** Returns the grid indices of the cells that a stroke covers, row by row. */
export function placesUnder(stroke: Stroke, grid: Size): number[] {
  const rect = reachOf(stroke, grid);
  const places: number[] = [];
  coverage(stroke, rect)?.forEach((covered, cell) => {
    const y = rect.y + Math.floor(cell / rect.width);
    if (covered !== 0) places.push(y * grid.width + rect.x + (cell % rect.width));
  });
  return places;
}
