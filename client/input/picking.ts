/** Finds organisms under the pointer. Pure. */
import type { OrganismId, OrganismView } from '../../shared/vocabulary.ts';
import type { Point } from '../render/camera.ts';
import type { RoomModel } from '../room/room-model.ts';

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
