/** Which cells a step updates, for rules with stochastic updates. */
import { createRandom, type Random } from '../../shared/random.ts';

/**
 * Draws independently for each cell whether it is updated.
 *
 * @param mask [cells], overwritten: 1 = updated
 * @param probability 0…1
 */
export function drawUpdateMask(mask: Float32Array, probability: number, random: Random): void {
  for (let i = 0; i < mask.length; i++) mask[i] = random.uniform() < probability ? 1 : 0;
}

/**
 * A generator seeded with the state itself, so that a step depends on nothing but the state: a
 * patch steps identically in any batch, and a room restored from exported states replays bit for
 * bit.
 */
export function randomOfState(state: Float32Array): Random {
  const words = new Uint32Array(state.buffer, state.byteOffset, state.length);
  let h = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) {
    h = Math.imul(h ^ words[i], 0x01000193);
    h ^= h >>> 15;
  }
  return createRandom(h);
}
