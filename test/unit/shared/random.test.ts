import { createRandom, hashText } from '../../../shared/random.ts';

describe('random', () => {
  test('equal seeds give equal sequences, others do not', () => {
    const draw = (seed: number) => {
      const random = createRandom(seed);
      return Array.from({ length: 20 }, () => [
        random.uniform(),
        random.normal(),
        random.integer(9),
      ]);
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  test('a fixed sequence, so that journals written today replay tomorrow', () => {
    const random = createRandom(1);
    const first = [random.uniform(), random.uniform(), random.normal(), random.integer(1000)];
    expect(first).toMatchSnapshot();
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
});
