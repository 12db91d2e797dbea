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
  for (let y = 0; y + side <= grid.height; y++) {
    for (let x = 0; x + side <= grid.width; x++) {
      const distance = (x - corner.x) ** 2 + (y - corner.y) ** 2;
      if (distance >= least) continue;
      const window = { x, y, width: side, height: side };
      if (!isBare(stageRect(window, bare), grid)) continue;
      least = distance;
      best = window;
    }
  }
  return best;
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
