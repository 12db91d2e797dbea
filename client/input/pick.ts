/** Which organism lies under a place of the grid. Pure. */
import type { OrganismId } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../net/room-model.ts';
import type { Point } from '../render/camera.ts';

/** @returns 0 where none is */
export function organismAt(
  { planes, organisms }: Pick<RoomModel, 'planes' | 'organisms'>,
  { x, y }: Point,
): OrganismId {
  if (!planes || x < 0 || y < 0 || x >= planes.width || y >= planes.height) return 0;
  const owner = planes.owner[Math.floor(y) * planes.width + Math.floor(x)];
  if (organisms.has(owner)) return owner;
  // A finger is wide and a seed is small.
  for (const { id, x: seedX, y: seedY, stage } of organisms.values()) {
    if (stage < 8 && Math.hypot(seedX - x, seedY - y) < Math.max(3, stage / 4)) return id;
  }
  return 0;
}
