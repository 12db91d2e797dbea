/** Where a seed may be planted (rule GRO-3). */
import { contains, type Rect, stageRect, windowAround } from '../../shared/geometry.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { GridPlanes } from './grid-planes.ts';
import { seedPlaces } from './ownership.ts';

/** @returns the window around a centre. @throws Refusal off-grid */
export function windowAt(grid: GridPlanes, x: number, y: number, side: number): Rect {
  const window = windowAround(x, y, side);
  const bounds = { x: 0, y: 0, width: grid.width, height: grid.height };
  if (!Number.isInteger(x) || !Number.isInteger(y) || !contains(bounds, window)) {
    throw new Refusal('off-grid');
  }
  return window;
}

/** Checks the places that a seed in this window will own. @throws Refusal occupied */
export function requireBare(window: Rect, grid: GridPlanes): void {
  const places = seedPlaces(window, grid);
  if (places.some((place) => grid.ownerAt(place) !== 0)) throw new Refusal('occupied');
}

/**
 * Finds a window where a seed may be planted, the nearest to a place: one whose middle half is bare,
 * so that the seed has room to grow, otherwise one with bare seed places.
 *
 * @param corner where the window would best begin
 * @throws Refusal occupied when there is none on the grid
 */
export function nearestWindow(corner: Corner, side: number, grid: GridPlanes): Rect {
  const found = nearest(corner, side, side / 2, grid) ?? nearest(corner, side, 2, grid);
  if (!found) throw new Refusal('occupied');
  return found;
}

type Corner = Pick<Rect, 'x' | 'y'>;

/** The nearest window with a bare square in its middle, of equally near ones the first by rows. */
function nearest(corner: Corner, side: number, bare: number, grid: GridPlanes): Rect | undefined {
  let best: Rect | undefined;
  let least = Number.POSITIVE_INFINITY;
  const last = { x: grid.width - side, y: grid.height - side };
  const rings = Math.max(corner.x, corner.y, last.x - corner.x, last.y - corner.y);
  // Ring by ring, as nothing on one is nearer than its number.
  for (let ring = 0; ring <= rings && ring * ring <= least; ring++) {
    for (const { x, y } of ringAround(corner, ring, last)) {
      const distance = (x - corner.x) ** 2 + (y - corner.y) ** 2;
      const isFirst = best === undefined || y < best.y || (y === best.y && x < best.x);
      if (distance > least || (distance === least && !isFirst)) continue;
      const window = { x, y, width: side, height: side };
      if (!isBare(stageRect(window, bare), grid)) continue;
      least = distance;
      best = window;
    }
  }
  return best;
}

/** The outline of a square around a point, as far as it lies within 0…`last`. */
function* ringAround(centre: Corner, ring: number, last: Corner): Generator<Corner> {
  const top = Math.max(0, centre.y - ring);
  const bottom = Math.min(last.y, centre.y + ring);
  for (let y = top; y <= bottom; y++) {
    const isEdge = Math.abs(y - centre.y) === ring;
    const step = isEdge ? 1 : 2 * ring;
    for (let x = centre.x - ring; x <= centre.x + ring; x += step) {
      if (x >= 0 && x <= last.x) yield { x, y };
    }
  }
}

function isBare({ x, y, width, height }: Rect, grid: GridPlanes): boolean {
  for (let row = y; row < y + height; row++) {
    const from = grid.place(x, row);
    for (let place = from; place < from + width; place++) {
      if (grid.ownerAt(place) !== 0) return false;
    }
  }
  return true;
}
