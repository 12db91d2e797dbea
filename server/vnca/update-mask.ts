/** Which cells take part in a step, where the rule leaves that to chance. */
import { createRandom, type Random } from '../../shared/random.ts';

/**
 * Draws for every cell alone whether it takes part; all channels of a cell go together.
 *
 * @param mask [cells] is written from `offset` on, 1 = takes part
 * @param probability 0…1
 */
export function drawUpdateMask(
  mask: Float32Array,
  offset: number,
  cells: number,
  probability: number,
  random: Random,
): void {
  for (let i = 0; i < cells; i++) mask[offset + i] = random.uniform() < probability ? 1 : 0;
}

/**
 * A generator seeded by the states themselves, so that a step is a function of nothing but the state: a patch steps
 * alike in any batch, and a room that is put back from exported states replays bit for bit.
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
