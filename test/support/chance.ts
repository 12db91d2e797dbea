/**
 * Random seeds of tests: fixed in each run, so that failures repeat; different each time in full
 * runs.
 */
import type { BrowserContext } from 'playwright-core';

/** VIVARIUM_TEST_SEED brings a whole run's chance back. */
export const SEED =
  Number(process.env.VIVARIUM_TEST_SEED) ||
  (process.env.VIVARIUM_TEST_FULL ? 1 + Math.floor(Math.random() * 2 ** 31) : 1);

/** From now on each page of this context draws from a seeded generator of its own (SplitMix32). */
export async function seedChance(context: BrowserContext): Promise<void> {
  if (process.env.VIVARIUM_TEST_FULL) console.info(`VIVARIUM_TEST_SEED=${SEED}`);
  await context.addInitScript((seed) => {
    let state = seed;
    Math.random = () => {
      state = (state + 0x9e3779b9) | 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
    };
  }, SEED);
}
