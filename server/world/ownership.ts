/** Who holds which place after a step (rules OWN-1 … OWN-5). */
import { type Rect, stageRect } from '../../shared/geometry.ts';
import type { Readout } from '../engine/engine.ts';
import type { Ground } from './ground.ts';
import type { Organism } from './organism.ts';

/** Side of the ground in the middle of its window that a growing organism holds whatever it looks like. */
const SEED_SIDE = 2;

/** The places that a growing organism holds from its planting on. */
export function seedPlaces(window: Rect, ground: Ground): number[] {
  const places: number[] = [];
  ground.each(stageRect(window, SEED_SIDE), (place) => places.push(place));
  return places;
}

export interface Stepped {
  readonly organism: Organism;
  readonly readout: Readout;
}

/**
 * Settles the ground after a step.
 *
 * @param stepped organisms in order of age, oldest first, with what their cells now look like
 * @param threshold least presence, 0…255, that claims a place
 * @returns the places that fell free and that nobody took in the same tick
 */
export function settle(ground: Ground, stepped: readonly Stepped[], threshold: number): number[] {
  const released: number[] = [];
  // All let go before any takes, so that an older organism gets no more than the tie.
  for (const { organism, readout } of stepped) {
    const held = organism.phase === 'growing' ? seedPlaces(organism.window, ground) : [];
    ground.each(stageRect(organism.window, readout.stage), (place, cell) => {
      if (ground.ownerAt(place) !== organism.id || readout.presence[cell] >= threshold) return;
      if (held.includes(place)) return;
      ground.release(place);
      released.push(place);
    });
  }
  for (const { organism, readout } of stepped) {
    ground.each(stageRect(organism.window, readout.stage), (place, cell) => {
      const live = readout.presence[cell] >= threshold;
      if (live && ground.ownerAt(place) === 0) ground.claim(place, organism.id);
      const owner = ground.ownerAt(place);
      if (owner === organism.id) ground.paint(place, readout.rgba, cell);
      if (owner === organism.id || owner === 0) organism.pressing.delete(place);
      // It stays pressed for when the cells there, cut back each tick, no longer reach the threshold.
      else if (live) organism.pressing.add(place);
    });
  }
  return released.filter((place) => ground.ownerAt(place) === 0);
}

/** How many places an organism holds. */
export function countOwned(ground: Ground, organism: Organism): number {
  let count = 0;
  ground.each(stageRect(organism.window, organism.stage), (place) => {
    if (ground.ownerAt(place) === organism.id) count++;
  });
  return count;
}

/**
 * Which cells may keep their state in the coming step: not those that a stroke has hit, nor those on
 * another's ground.
 *
 * @param stage side in the coming step
 * @returns keep [stage, stage], absent when all may; and whether any cell is left
 */
export function keepMask(
  ground: Ground,
  organism: Organism,
  stage: number,
): { keep: Uint8Array | undefined; alive: boolean } {
  const keep = new Uint8Array(stage * stage).fill(1);
  let kept = keep.length;
  ground.each(stageRect(organism.window, stage), (place, cell) => {
    const owner = ground.ownerAt(place);
    const closed = owner !== 0 && owner !== organism.id;
    if (!closed && organism.cover?.[cell] !== 1) return;
    keep[cell] = 0;
    kept--;
  });
  return { keep: kept < keep.length ? keep : undefined, alive: kept > 0 };
}
