/** What a stroke takes in its own tick (rules DMG-2 and CLO-4). */
import { stageRect } from '../../shared/geometry.ts';
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organism.ts';
import { seedPlaces } from './ownership.ts';
import { growthStep, type Species } from './species.ts';

/**
 * Releases the places of an organism that strokes have hit since its last step. Its seed places it
 * keeps while it grows (rule OWN-7); they show nothing until it has stepped.
 *
 * @returns the cells of the coming step that were hit on its places; and whether it owns a place
 *   that was not hit
 */
export function releaseHit(
  organism: Organism,
  grid: GridPlanes,
  species: Species,
): { readonly killed: readonly number[]; readonly lives: boolean } {
  const { id, window, phase, age, woundMask } = organism;
  const held = phase === 'growing' ? seedPlaces(window, grid) : [];
  const killed: number[] = [];
  let lives = false;
  grid.each(stageRect(window, growthStep(species, age).stage), (place, cell) => {
    if (grid.ownerAt(place) !== id) return;
    if (woundMask?.[cell] !== 1) {
      lives = true;
      return;
    }
    killed.push(cell);
    if (held.includes(place)) grid.paint(place, 0);
    else grid.release(place);
  });
  return { killed, lives };
}
