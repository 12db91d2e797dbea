import { crossLatents } from '../../../server/world/create-latent.ts';
import { createRandom } from '../../../shared/random.ts';
import fc, { between, forAll } from '../../support/property.ts';

const length = (v: Float32Array) => Math.hypot(...v);

test('at either end the child is that parent, and in between as far from the centre', () => {
  forAll(fc.nat(), between(0, 1), (seed, mix) => {
    const random = createRandom(seed);
    const [a, b] = [random.latent(48), random.latent(48)];
    const child = crossLatents(a, b, mix);
    const wanted = (1 - mix) * length(a) + mix * length(b);
    expect(Math.abs(length(child) - wanted)).toBeLessThan(1e-4);
    for (const [end, parent] of [
      [0, a],
      [1, b],
    ] as const) {
      const same = crossLatents(a, b, end);
      expect(same.every((x, i) => Math.abs(x - parent[i]) < 1e-6)).toBe(true);
    }
  });
});

test('parents without a unique arc between them still have a child', () => {
  const a = new Float32Array([1, 2, 3]);
  const zero = new Float32Array(3);
  for (const [one, other] of [
    [a, a],
    [a, a.map((x) => -x)],
    [a, zero],
    [zero, zero],
  ]) {
    expect(crossLatents(one, other, 0.5).every(Number.isFinite)).toBe(true);
  }
});
