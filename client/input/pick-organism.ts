/** Finds organisms and cells near a place of the grid. Pure. */
import type { OrganismId } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../net/room-model.ts';
import type { Point } from '../render/camera.ts';

/** Search radius in cells: fingers are wide, seeds are small, and organisms have holes. */
const REACH = 3;

/** @returns the organism at the place, else the nearest one within reach; 0 if there is none */
export function organismAt(
  { planes, organisms }: Pick<RoomModel, 'planes' | 'organisms'>,
  { x, y }: Point,
): OrganismId {
  if (!planes || x < 0 || y < 0 || x >= planes.width || y >= planes.height) return 0;
  const { width, height, owner } = planes;
  const [column, row] = [Math.floor(x), Math.floor(y)];
  const here = owner[row * width + column];
  if (organisms.has(here)) return here;
  let nearest: OrganismId = 0;
  let least = REACH;
  const [left, right] = [Math.max(0, column - REACH), Math.min(width - 1, column + REACH)];
  for (let j = Math.max(0, row - REACH); j <= Math.min(height - 1, row + REACH); j++) {
    for (let i = left; i <= right; i++) {
      const distance = Math.hypot(i + 0.5 - x, j + 0.5 - y);
      const holder = owner[j * width + i];
      if (distance >= least || !organisms.has(holder)) continue;
      nearest = holder;
      least = distance;
    }
  }
  if (nearest !== 0) return nearest;
  for (const { id, x: seedX, y: seedY, stage } of organisms.values()) {
    if (stage < 8 && Math.hypot(seedX - x, seedY - y) < Math.max(REACH, stage / 4)) return id;
  }
  return 0;
}

/**
 * Finds the cell nearest to a place among the organisms whose windows contain the place.
 *
 * @returns the cell's centre; undefined if no such organism has a cell
 */
export function nearestCell(
  { planes, organisms }: Pick<RoomModel, 'planes' | 'organisms'>,
  { x, y }: Point,
): Point | undefined {
  let nearest: Point | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const { id, x: middle, y: centre, side } of organisms.values()) {
    const [left, top] = [middle - side / 2, centre - side / 2];
    if (!planes || x < left || y < top || x >= left + side || y >= top + side) continue;
    for (let place = 0; place < side * side; place++) {
      const [i, j] = [left + (place % side), top + Math.floor(place / side)];
      const distance = Math.hypot(i + 0.5 - x, j + 0.5 - y);
      if (distance >= least || planes.owner[j * planes.width + i] !== id) continue;
      nearest = { x: i + 0.5, y: j + 0.5 };
      least = distance;
    }
  }
  return nearest;
}
