/** Which images are trained on, and which are kept aside. */
import { createRandom } from '../../../shared/random.ts';
import type { Dataset } from './dataset.ts';

const SEED = 20220125;

/** start, start + 1, … end - 1. */
export function range(start: number, end: number): Uint32Array {
  return Uint32Array.from({ length: end - start }, (_, i) => start + i);
}

/**
 * Keeps a share of `count` images for validation, always the same ones; none for tests.
 *
 * @param share 0…0.5; any share above 0 keeps at least one image, and one is always left to train on
 */
export function splitByShare(count: number, share: number): Dataset['splits'] {
  const wanted = share === 0 ? 0 : Math.max(1, Math.round(count * share));
  const kept = Math.min(wanted, count - 1);
  const order = range(0, count);
  const random = createRandom(SEED);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return {
    train: order.slice(kept).sort(),
    validation: order.slice(0, kept).sort(),
    test: new Uint32Array(0),
  };
}
