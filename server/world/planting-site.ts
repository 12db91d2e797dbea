/** Checks where a seed may be planted (rule GRO-3). */
import { contains, type Rect, windowAround } from '../../shared/geometry.ts';
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
