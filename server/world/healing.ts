/** When an organism counts as wounded, and when as healed (rule LIF-7). */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organism.ts';

/**
 * A stroke has hit an organism, and its ground is still what it was. Strokes that follow before it has come to rest belong to
 * the same wound; what was not made good by then is lost, and the next wound is measured by what is left.
 */
export function hurt(organism: Organism, grid: GridPlanes): void {
  const { phase } = organism;
  if (organism.hurt !== undefined && phase !== 'asleep') return;
  organism.hurt = phase === 'growing' ? 0 : heldBy(organism, grid);
}

/**
 * An organism has come to rest.
 *
 * @param held places that it holds
 * @returns whether it has healed by that
 */
export function heal(organism: Organism, held: number): boolean {
  if (organism.hurt === undefined || held < DEFAULTS.life.healedShare * organism.hurt) return false;
  organism.hurt = undefined;
  organism.healed++;
  return true;
}

function heldBy({ id, window }: Organism, grid: GridPlanes): number {
  let held = 0;
  grid.each(window, (place) => {
    if (grid.ownerAt(place) === id) held++;
  });
  return held;
}
