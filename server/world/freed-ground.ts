/** Ground that organisms give up, and whom it wakes (rules LIF-6 and DEP-9). */
import { stageRect } from '../../shared/geometry.ts';
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organism.ts';
import type { Population } from './population.ts';

/** What decides whom freed places wake. */
export interface GroundState {
  readonly grid: GridPlanes;
  readonly population: Population;
}

/** Frees the places of an organism that has died, and offers those that it has lost. */
export function leaveGround(organism: Organism, ground: GroundState): void {
  const { grid, population } = ground;
  const freed: number[] = [];
  grid.each(organism.window, (place) => {
    if (grid.ownerAt(place) !== organism.id) return;
    grid.release(place);
    freed.push(place);
  });
  letTryAgain(freed, population);
  if (organism.dissolving !== undefined) offerLost(organism, ground);
}

/**
 * Offers the bare places where an organism was seen before it dissolved. Call it for a renewed
 * organism once it has had the chance to take them back.
 */
export function offerLost({ window, seen }: Organism, { grid, population }: GroundState): void {
  const lost: number[] = [];
  // A seed has not been seen yet.
  grid.each(seen ? stageRect(window, Math.sqrt(seen.length / 4)) : window, (place, cell) => {
    const wasThere = !seen || seen[4 * cell + 3] > 0;
    if (wasThere && grid.ownerAt(place) === 0) lost.push(place);
  });
  for (const place of lost) grid.offer(place);
  letTryAgain(lost, population);
}

/** Neighbours that were blocked here may wake again, however often they tried before. */
function letTryAgain(places: readonly number[], population: Population): void {
  for (const neighbour of population.pressingOn(places)) neighbour.stirs = 0;
}
