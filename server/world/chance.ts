/** Chances that depend on nothing but their names, so that one event never shifts another's. */
import { mixBits } from '../../shared/random.ts';
import type { OrganismId } from '../../shared/vocabulary.ts';

/**
 * A number that is the same for the same room, organism and tick, and as good as random otherwise.
 * Unlike a draw it does not use up the room's random numbers: undoing one planting changes nobody
 * else's chances.
 *
 * @param seed of the room's chances, uint32
 * @param organism whose chance it is
 * @param tick when; or any other whole number that tells two chances of one organism apart
 * @returns uniform in [0, 1), 32 bits of it
 */
export function chance(seed: number, organism: OrganismId, tick: number): number {
  const word = mixed(mixed(mixed(seed) ^ organism) ^ tick);
  return word / 4294967296;
}

/** Mixes so that 0 does not stay 0. @returns uint32 */
const mixed = (value: number): number => mixBits(value + 0x9e3779b9);
