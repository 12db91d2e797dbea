import { drawUpdateMask, randomOfState } from '../../../server/vnca/scalar-rule.ts';
import { createRandom } from '../../../shared/random.ts';

test('cells take part as often as the rule says', () => {
  const mask = new Float32Array(10_000);
  drawUpdateMask(mask, 0.3, createRandom(1));
  const share = mask.reduce((a, b) => a + b, 0) / mask.length;
  expect(share).toBeGreaterThan(0.28);
  expect(share).toBeLessThan(0.32);
  expect(new Set(mask)).toEqual(new Set([0, 1]));
});

test('equal states draw the same mask, and the smallest change draws another', () => {
  const state = createRandom(2).latent(96);
  const draws = (values: Float32Array): number[] => {
    const random = randomOfState(values);
    return Array.from({ length: 8 }, () => random.integer(1000));
  };
  const batch = new Float32Array(200);
  batch.set(state, 50);
  expect(draws(batch.subarray(50, 146))).toEqual(draws(state));
  for (const i of [0, 40, 95]) {
    const other = state.slice();
    other[i] *= 1 + 2 ** -23;
    expect(draws(other)).not.toEqual(draws(state));
  }
});
