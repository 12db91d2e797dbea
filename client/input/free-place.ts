/** Where a page opens that cannot show the whole room at a good size. Pure. */
import { clampCentre } from '../../shared/geometry.ts';
import type { Point, Size } from '../render/camera.ts';

const CANDIDATES = 200;
/** Least distance to others along one axis, in sides. */
const APART = 1.1;
/** Share of the grid at each side where a page opens only if it must: much of it would be empty. */
const EDGE = 0.1;

/**
 * A free place with a neighbour in sight; the emptiest one where none is free. It differs from page
 * to page, so that not all visitors plant at the same place.
 *
 * @param side of a grown organism, cells
 * @param organisms centres of the living ones
 * @param random 0…1
 */
export function freePlace(
  grid: Size,
  side: number,
  organisms: readonly Point[],
  random: () => number,
): Point {
  let best = { x: grid.width / 2, y: grid.height / 2 };
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < CANDIDATES && organisms.length > 0; i++) {
    const place = clampCentre(random() * grid.width, random() * grid.height, side, grid);
    const gaps = organisms.map(({ x, y }) =>
      Math.max(Math.abs(x - place.x), Math.abs(y - place.y)),
    );
    const gap = Math.min(...gaps);
    const isFree = gap >= APART * side;
    const shares = [place.x / grid.width, place.y / grid.height];
    const isAside = shares.some((share) => Math.abs(share - 0.5) > 0.5 - EDGE);
    const score = (isFree ? gap : 1e6 - gap) + (isAside ? 1e3 : 0);
    if (score < least) [best, least] = [place, score];
  }
  return best;
}
