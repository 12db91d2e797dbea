import { genomeWeights, mixSteps } from '../../../server/vnca/chimera.ts';
import fc, { forAll } from '../../support/property.ts';

/** Labels of a patch, and a stage from which it grows by doubling. */
const patches = fc
  .record({
    seedSide: fc.integer({ min: 1, max: 3 }),
    doublings: fc.nat(4),
    count: fc.integer({ min: 1, max: 4 }),
  })
  .chain(({ seedSide, doublings, count }) => {
    const side = seedSide * 2 ** doublings;
    const label = fc.nat(count - 1);
    return fc.record({
      side: fc.constant(side),
      count: fc.constant(count),
      stage: fc.nat(doublings).map((times) => seedSide * 2 ** times),
      labels: fc
        .array(label, { minLength: side * side, maxLength: side * side })
        .map((all) => Uint8Array.from(all)),
    });
  });

/** What lies at each cell after mirroring rows, columns or the diagonal. */
const mirrored = <A extends Uint8Array | Float32Array>(values: A, side: number, how: number): A =>
  values.map((_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    return values[[y * side + side - 1 - x, (side - 1 - y) * side + x, x * side + y][how]];
  }) as A;

const planesOf = (weights: Float32Array, count: number): Float32Array[] =>
  Array.from({ length: count }, (_, genome) => {
    const cells = weights.length / count;
    return weights.subarray(genome * cells, (genome + 1) * cells);
  });

test('the weights of a cell have the sum 1, exactly', () => {
  forAll(patches, ({ labels, count, stage }) => {
    const planes = planesOf(genomeWeights(labels, count, stage), count);
    const sums = planes[0].map((_, cell) => planes.reduce((sum, plane) => sum + plane[cell], 0));
    expect(sums).toEqual(new Float32Array(stage * stage).fill(1));
    expect(planes.every((plane) => plane.every((weight) => weight >= 0))).toBe(true);
  });
});

test('weights are those of the blurred labels, and below the full stage means of blocks', () => {
  const row = (...labels: number[]) => Uint8Array.from({ length: 64 }, (_, i) => labels[i % 8]);
  const all = planesOf(genomeWeights(row(0, 0, 0, 0, 1, 1, 1, 2), 3, 8), 3);
  const firsts = all.map((plane) => [...plane.subarray(56)].map((weight) => 16 * weight));
  expect(firsts).toEqual([
    [16, 16, 15, 11, 5, 1, 0, 0],
    [0, 0, 1, 5, 11, 14, 11, 5],
    [0, 0, 0, 0, 0, 1, 5, 11],
  ]);
  forAll(patches, ({ labels, count, side, stage }) => {
    const block = side / stage;
    const grown = planesOf(genomeWeights(labels, count, side), count);
    const means = planesOf(genomeWeights(labels, count, stage), count);
    for (const [genome, plane] of grown.entries()) {
      const wanted = new Float32Array(stage * stage);
      plane.forEach((weight, i) => {
        const [x, y] = [i % side, Math.floor(i / side)].map((at) => Math.floor(at / block));
        wanted[y * stage + x] += weight / block ** 2;
      });
      expect(means[genome]).toEqual(wanted);
    }
  });
});

test('mirrored labels have mirrored weights', () => {
  forAll(patches, fc.nat(2), ({ labels, count, side, stage }, how) => {
    const turned = genomeWeights(mirrored(labels, side, how), count, stage);
    const planes = planesOf(genomeWeights(labels, count, stage), count);
    expect(planesOf(turned, count)).toEqual(planes.map((plane) => mirrored(plane, stage, how)));
  });
});

test('a cell that one genome alone counts for has exactly its state, in any layout', () => {
  const values = [Number.MIN_VALUE, -0, 0.1, -3.3, 1e-38, 4].map(Math.fround);
  const step = Float32Array.from(values);
  const other = new Float32Array(6).fill(Number.NaN);
  const weights = Float32Array.of(0, 0, 1, 1, 0.25, 0.75).subarray(0, 4);
  const after = new Float32Array(6);
  for (const strides of [
    { cells: 3, channels: 1 },
    { cells: 1, channels: 2 },
  ]) {
    mixSteps([other, step], weights, strides, after);
    expect(after).toEqual(step);
    mixSteps([undefined, step], weights, strides, after);
    expect(after).toEqual(step);
  }
  const planar = Float32Array.of(0.25, 1, 0.75, 0);
  mixSteps(
    [Float32Array.of(4, 1, 8, 2), Float32Array.of(8, 5, 16, 5)],
    planar,
    { cells: 1, channels: 2 },
    after.subarray(0, 4),
  );
  expect([...after.subarray(0, 4)]).toEqual([7, 1, 14, 2]);
});
