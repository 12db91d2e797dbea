/** Measures how fast an engine steps fully grown patches. */

import { seedState } from '../../vnca/architecture.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import type { Engine } from '../engine.ts';

/** Patches per measured step. */
export const RATE_PATCHES = 16;
const PATCHES = Array.from({ length: RATE_PATCHES }, (_, patch) => patch);

/**
 * Steps `RATE_PATCHES` patches of the model's full side, at least once.
 *
 * @param seconds duration, after a first step that is not counted
 * @returns cells/s, read-outs included
 */
export async function measureRate(
  engine: Engine,
  { card }: Model,
  seconds: number,
): Promise<number> {
  const { name, side, channels, latentSize } = card;
  const latent = new Float32Array(latentSize).fill(0.5);
  await engine.plant(PATCHES.map((patch) => ({ patch, checkpoint: name, latent })));
  // Imported, not grown: the cost does not depend on the states, and growing is slow on some
  // engines.
  const state = seedState(latent, side, channels);
  await engine.importStates(PATCHES.map((patch) => ({ patch, state })));
  const steps = PATCHES.map((patch) => ({ patch, divide: false }));
  await engine.step(steps);
  let count = 0;
  const start = performance.now();
  let taken = 0;
  while (taken < seconds * 1000) {
    await engine.step(steps);
    count++;
    taken = performance.now() - start;
  }
  return Math.round((count * RATE_PATCHES * side ** 2 * 1000) / taken);
}
