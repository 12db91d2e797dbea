import {
  divide,
  firstStage,
  growthSchedule,
  seedState,
} from '../../../server/vnca/architecture.ts';
import { genomeWeights, mixSteps } from '../../../server/vnca/chimera.ts';
import { createReadout, dmolMean, toByte, type Visible } from '../../../server/vnca/readout.ts';
import { createScalarRule, randomOfState } from '../../../server/vnca/scalar-rule.ts';
import { createRandom } from '../../../shared/random.ts';
import { expectNear } from '../../support/compare.ts';
import fc, { forAll } from '../../support/property.ts';
import { genomeUpdate, tinyModel } from './tiny-model.ts';

/** What a net costs, how patches grow and divide, and which cells take part in a step. */

const doubling = { side: 32, growth: { kind: 'doubling' as const, seedSide: 2, stepsPerStage: 8 } };
const uniform = { side: 28, growth: { kind: 'uniform' as const, steps: 36 } };

test('growth by doubling starts at the seed, and cells divide before each later stage', () => {
  expect(firstStage(doubling)).toBe(2);
  expect(growthSchedule({ ...doubling, side: 64 })).toHaveLength(48);
  const schedule = growthSchedule(doubling);
  const divisions = schedule.flatMap(({ divide }, i) => (divide ? [i] : []));
  expect(divisions).toEqual([8, 16, 24, 32]);
  expect(schedule.map(({ stage }) => stage)).toEqual(
    [2, 4, 8, 16, 32].flatMap((stage) => new Array(8).fill(stage)),
  );
});

test('uniform growth has its full side from the first and never divides', () => {
  expect(firstStage(uniform)).toBe(28);
  expect(growthSchedule(uniform)).toEqual(new Array(36).fill({ divide: false, stage: 28 }));
});

test('a seed has the latent in every cell', () => {
  const latent = Float32Array.of(1, 2, 3);
  expect([...seedState(latent, 2, 3)]).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
  // A cell holds the first of a longer latent.
  expect([...seedState(latent, 2, 2)]).toEqual([1, 2, 1, 2, 1, 2, 1, 2]);
});

test('cells divide into blocks of copies, with all channels', () => {
  const state = Float32Array.of(1, 2, 3, 4);
  expect([...divide(state, 1)]).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
  expect([...divide(Float32Array.of(5, 6), 2)]).toEqual([5, 6, 5, 6, 5, 6, 5, 6]);
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

function readOne(card: Visible, state: number[]): { rgba: number[]; presence: number } {
  const rgba = new Uint8Array(4).fill(77);
  const presence = new Uint8Array(1).fill(77);
  createReadout(card)(Float32Array.of(99, ...state), 1, rgba, presence);
  return { rgba: [...rgba], presence: presence[0] };
}

describe('premultiplied RGBA', () => {
  const card: Visible = {
    channels: 6,
    readout: { kind: 'rgba-premultiplied', channels: [2, 1, 0, 5] },
    presence: { threshold: 0.1 },
  };

  test('comes from the named channels, clamped', () => {
    expect(readOne(card, [0.2, 0.4, 2, 9, 9, -1])).toEqual({
      rgba: [255, 102, 51, 0],
      presence: 0,
    });
  });

  test('presence is alpha, or the named channel', () => {
    expect(readOne(card, [0, 0, 0, 0.6, 0, 1]).presence).toBe(255);
    const other = { ...card, presence: { channel: 3, threshold: 0.1 } };
    expect(readOne(other, [0, 0, 0, 0.6, 0, 1]).presence).toBe(153);
  });

  test('reads every cell of a patch', () => {
    const rgba = new Uint8Array(8);
    const presence = new Uint8Array(2);
    const states = Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1);
    createReadout(card)(states, 0, rgba, presence);
    expect([...rgba]).toEqual([0, 0, 255, 0, 255, 0, 0, 255]);
    expect([...presence]).toEqual([0, 255]);
  });
});

describe('Bernoulli', () => {
  const card: Visible = {
    channels: 3,
    readout: { kind: 'bernoulli', channel: 1 },
    presence: { threshold: 0.5 },
  };

  test('is white ink, as opaque as it is likely', () => {
    const ink = Math.round(255 / (1 + Math.exp(-1.5)));
    expect(readOne(card, [9, 1.5, 9])).toEqual({ rgba: [ink, ink, ink, ink], presence: ink });
    expect(readOne(card, [9, -200, 9]).presence).toBe(0);
    expect(readOne(card, [1, 0, 0]).presence).toBe(128);
  });

  test('each logit reads as the byte of its sigmoid, also where one byte follows another', () => {
    const ofSigmoid = (logit: number): number => toByte(1 / (1 + Math.exp(-logit)));
    const logits = Array.from({ length: 40_000 }, (_, i) => Math.fround((i - 20_000) / 2_000));
    for (let byte = 0; byte < 255; byte++) {
      const share = (byte + 0.5) / 255;
      const edge = Math.fround(Math.log(share / (1 - share)));
      // About one float32 apart.
      for (let k = -3; k <= 3; k++) logits.push(Math.fround(edge * (1 + k * 1.2e-7)));
    }
    logits.push(0, -0, 1e-30, -1e-30, -2e-16, -4e-16, Infinity, -Infinity, Number.NaN);
    const states = Float32Array.from(logits.flatMap((logit) => [1, logit, 1]));
    const presence = new Uint8Array(logits.length);
    createReadout(card)(states, 0, new Uint8Array(4 * logits.length), presence);
    expect([...presence]).toEqual(logits.map(ofSigmoid));
  });
});

describe('discretised mixture of logistics', () => {
  test('with one mixture, later colours depend on earlier ones', () => {
    const state = Float32Array.of(5, 0.5, 9, 0.3, 0.1, 9, -0.4, -0.2, 9, 0.7);
    const r = 0.5;
    const g = 0.1 + Math.tanh(0.3) * r;
    const b = -0.2 + Math.tanh(-0.4) * r + Math.tanh(0.7) * g;
    expectNear(dmolMean(state, 0, 1), [r, g, b], 5e-7);
  });

  test('mixtures are weighted by the softmax of their logits', () => {
    // Two mixtures: logits, then means, log-scales and coefficients of R, G, B.
    const state = Float32Array.of(
      ...[0, Math.log(3)],
      ...[-1, 1, 0, 0, 0, 0],
      ...[0.2, 0.6, 0, 0, 0, 0],
      ...[0, 0, 0, 0, 0, 0],
    );
    expectNear(dmolMean(state, 0, 2), [0.5, 0.5, 0], 5e-7);
  });

  test('conditional means are clamped before others depend on them', () => {
    const state = Float32Array.of(0, 3, 0, 20, 0, 0, 0, 0, 0, 0);
    expect(dmolMean(state, 0, 1)).toEqual([1, 1, 0]);
  });

  test('−1…1 becomes 0…255, opaque', () => {
    const card: Visible = {
      channels: 10,
      readout: { kind: 'dmol', mixtures: 1 },
      presence: { threshold: 0.5 },
    };
    expect(readOne(card, [0, -1, 0, 0, 1, 0, 0, 0.2, 0, 0])).toEqual({
      rgba: [0, 255, 153, 255],
      presence: 255,
    });
    expect(readOne(card, new Array(10).fill(0))).toEqual({ rgba: [0, 0, 0, 0], presence: 0 });
  });
});

/** Chimeras on pages: the mixture of what each genome alone makes of the same state. */

const SIDE = 16;
const UPDATES = [
  ['every cell', {}],
  ['some cells at a time', { updateProbability: 0.5 }],
] as const;

/** A disc, a half and the rest. */
const labels = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
  const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
  return Math.hypot(x - 4, y - 4) < 3 ? 2 : Number(x > 9);
});

describe.each(UPDATES)('a rule that updates %s', (_, fields) => {
  const model = tinyModel({ side: SIDE, update: { ...genomeUpdate(7), ...fields } });
  const { channels, latentSize } = model.card;
  const latents = [1, 2, 3].map((seed) => createRandom(seed).latent(latentSize));
  const alone = latents.map((latent) => createScalarRule(model, { latents: [latent] }));
  const together = createScalarRule(model, { latents, labels });

  test('steps a chimera in each stage to the mean of the steps by each genome', () => {
    let states = seedState(latents[0], 2, channels);
    for (const { divide: isDividing, stage } of growthSchedule(model.card)) {
      if (isDividing) states = divide(states, channels);
      const after = new Float32Array(states.length);
      const layout = { cells: channels, channels: 1 };
      const steps = alone.map((step) => step(states));
      mixSteps(steps, genomeWeights(labels, 3, stage), layout, after);
      expect(together(states)).toEqual(after);
      states = after;
    }
    expect(states).toHaveLength(channels * SIDE * SIDE);
    // Cells far from the others' genomes step as if they were alone.
    const corner = (SIDE * SIDE - 1) * channels;
    expect(together(states).subarray(corner)).toEqual(alone[1](states).subarray(corner));
    expect(together(states)).not.toEqual(alone[1](states));
  });
});
