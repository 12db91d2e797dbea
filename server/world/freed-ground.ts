/** Ground that organisms give up, and whom it wakes (rules LIF-6 and DEP-9). */
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organism.ts';
import type { Population } from './population.ts';
import type { RoomRules } from './room-rules.ts';

/** What decides whom freed places wake. */
export interface Ground {
  readonly grid: GridPlanes;
  readonly population: Population;
  readonly rules: RoomRules;
}

/** Frees places of an organism that departs. Under calm rules they wake nobody before it is gone. */
export function loseGround(places: readonly number[], { grid, population, rules }: Ground): void {
  if (rules.areCalm) {
    for (const place of places) grid.clear(place);
    return;
  }
  for (const place of places) grid.release(place);
  letTryAgain(places, population);
}

/** Frees the places of an organism that has died. */
export function leaveGround(
  { id, window, dissolving }: Organism,
  { grid, population, rules }: Ground,
): void {
  const lost = rules.areCalm && dissolving !== undefined;
  const freed: number[] = [];
  grid.each(window, (place) => {
    const owner = grid.ownerAt(place);
    if (owner === id) grid.clear(place);
    else if (owner !== 0 || !lost) return;
    grid.offer(place);
    freed.push(place);
  });
  letTryAgain(freed, population);
}

/** Neighbours that were blocked here may wake again, however often they tried before. */
function letTryAgain(places: readonly number[], population: Population): void {
  for (const neighbour of population.pressingOn(places)) neighbour.stirs = 0;
}
