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

/** @returns the places that a seed in this window will own. @throws Refusal occupied */
export function plantingSite(window: Rect, grid: GridPlanes): number[] {
  const places = seedPlaces(window, grid);
  if (places.some((place) => grid.ownerAt(place) !== 0)) throw new Refusal('occupied');
  return places;
}

/**
 * Finds the window nearest to another one where a seed may be planted: one whose middle half is
 * bare, so that the seed has room to grow, otherwise one with bare seed places.
 *
 * @throws Refusal occupied when there is none on the grid
 */
export function nearestSite(from: Rect, grid: GridPlanes): Rect {
  const bareSides = [from.width / 2, 2];
  for (const side of bareSides) {
    const window = nearest(from, grid, (one) => isBare(stageRect(one, side), grid));
    if (window) return window;
  }
  throw new Refusal('occupied');
}

/** The nearest window that fits, of equally near ones the first by rows. */
function nearest(
  from: Rect,
  grid: GridPlanes,
  fits: (window: Rect) => boolean,
): Rect | undefined {
  let best: Rect | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (let y = 0; y + from.height <= grid.height; y++) {
    for (let x = 0; x + from.width <= grid.width; x++) {
      const distance = (x - from.x) ** 2 + (y - from.y) ** 2;
      if (distance >= least || !fits({ ...from, x, y })) continue;
      least = distance;
      best = { ...from, x, y };
    }
  }
  return best;
}

function isBare({ x, y, width, height }: Rect, grid: GridPlanes): boolean {
  for (let row = y; row < y + height; row++) {
    for (let column = x; column < x + width; column++) {
      if (grid.ownerAt(grid.place(column, row)) !== 0) return false;
    }
  }
  return true;
}
