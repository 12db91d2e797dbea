/**
 * Finds organisms under the pointer, and the position at which a page opens if it cannot show the
 * whole room at a good size. Pure.
 */
import { clampCentre } from '../../shared/geometry.ts';
import type { OrganismId, OrganismView } from '../../shared/vocabulary.ts';
import type { Point, Size } from '../render/camera.ts';
import type { RoomModel } from '../room/room-model.ts';

const CANDIDATES = 200;
/**
 * Minimum distance to other organisms along at least one axis, as a multiple of an organism's side.
 */
const APART = 1.1;
/**
 * Share of the grid along each edge that is avoided, because a view there would be partly empty.
 */
const EDGE = 0.1;

/**
 * Finds a free position with a neighbour in sight, or the emptiest position if none is free. The
 * result differs between pages, so that visitors do not all plant at the same position.
 *
 * @param side of a grown organism, cells
 * @param organisms centres of the living organisms
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

/**
 * Search radius in cells. It is needed because fingers are wide, seeds are small, and organisms
 * have holes.
 */
const REACH = 3;

/**
 * @returns the organism at the position, else the nearest organism within `REACH`; 0 if there is
 *   none
 */
export function organismAt(
  model: Pick<RoomModel, 'planes' | 'organisms'>,
  { x, y }: Point,
): OrganismId {
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
 * Finds the owned cell nearest to a position, closer than `reach` cells.
 *
 * @param counts whether an organism's cells count
 * @returns the centre of the cell, and its organism
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
