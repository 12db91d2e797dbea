/** What an organism has lost by a wound, and whether it has it back (rule LIF-7). */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organism.ts';

/**
 * Records how many places an organism owns when it is wounded. Call before the stroke takes effect,
 * and before it breaks off an expression: what a larger relative has taken does not count. Further
 * strokes before it rests belong to the same wound; a stroke after that measures again.
 */
export function hurt(organism: Organism, grid: GridPlanes): void {
  const { phase, transforming } = organism;
  if (organism.hurt !== undefined && phase !== 'asleep') return;
  const own = organism.expression?.held ?? Number.POSITIVE_INFINITY;
  // Nobody knows yet how large it will be.
  const isUnknown = phase === 'growing' || transforming !== undefined;
  organism.hurt = isUnknown ? 0 : Math.min(own, heldBy(organism, grid));
}

/**
 * Checks whether a resting organism has recovered enough of its places, and counts the healing.
 *
 * @param held places that it owns now
 */
export function heal(organism: Organism, held: number): boolean {
  if (organism.hurt === undefined || held < DEFAULTS.life.healedShare * organism.hurt) return false;
  organism.hurt = undefined;
  // A slow stroke may wound again after the organism has healed; that is still one wound.
  organism.healed = Math.min(organism.healed + 1, organism.wounds);
  return true;
}

/** The number of places that an organism owns. */
export function heldBy({ id, window }: Organism, grid: GridPlanes): number {
  let held = 0;
  grid.each(window, (place) => {
    if (grid.ownerAt(place) === id) held++;
  });
  return held;
}
