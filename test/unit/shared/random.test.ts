import { createRandom, hashText } from '../../../shared/random.ts';

test('a fixed sequence, so that journals written today replay tomorrow', () => {
  const random = createRandom(1);
  const first = [random.uniform(), random.uniform(), random.normal(), random.integer(1000)];
  expect(first).toEqual([0.7822727714665234, 0.27532708551734686, -0.7279637576879239, 12]);
});

test('normals have mean 0 and variance 1, uniforms mean 1/2', () => {
  const random = createRandom(3);
  const n = 50_000;
  const normals = Float64Array.from({ length: n }, random.normal);
  const mean = normals.reduce((a, b) => a + b) / n;
  const variance = normals.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
  const uniform = Float64Array.from({ length: n }, random.uniform).reduce((a, b) => a + b) / n;
  // Five standard errors of each estimate.
  expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(n));
  expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
  expect(Math.abs(uniform - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / n));
});

test('names have different hashes', () => {
  const names = Array.from({ length: 2_000 }, (_, i) => `1/room-${i}`);
  expect(new Set(names.map(hashText)).size).toBe(names.length);
});
