/**
 * Compares the gradients of whole rollouts, cut into segments of any length, with finite
 * differences for every trained number; and the gradients of native code with those of expressions.
 */
import type { Value } from '../../../../server/autodiff/compute.ts';
import { createCompute } from '../../../../server/autodiff/create.ts';
import { sizeOf } from '../../../../server/autodiff/graph.ts';
import { createOnnxCompute } from '../../../../server/autodiff/onnx.ts';
import type { Likelihood } from '../../../../server/training/model/likelihood.ts';
import {
  type DecoderSpec,
  growthSegments,
  type Segment,
  Segments,
  stayingSegments,
} from '../../../../server/training/model/segments.ts';
import { differentiate } from '../../../../server/training/rollout/rollout.ts';
import { updateShapes } from '../../../../server/vnca/architecture.ts';
import { imageChannels } from '../../../../server/vnca/readout.ts';
import { expectNear } from '../../../support/compare.ts';
import { isFull } from '../../../support/needs.ts';
import { hasCompiler, testNative } from '../../engine/native/support.ts';
import { calmUpdate, genomeUpdate, tinyCard } from '../../vnca/tiny-model.ts';
import { type Numbers, normals, randomParameters, slopeAt, slopeChecker, upload } from './small.ts';

const compute = createOnnxCompute({ threads: 1 });
const native = hasCompiler ? await createCompute('native', { threads: 1 }) : undefined;
afterAll(() => compute.dispose());

/** Side of a grown patch, in cells. */
const SIDE = 8;
/** Number of patches. */
const N = 2;
/** Cost of a change in the last step of segments with `rest`. */
const REST = { weight: 0.7, sigma: 1 };
const GAUSSIAN: Likelihood = { kind: 'gaussian', sigma: 1, channels: [0, 1, 2, 3] };

const doubling = (stepsPerStage: number) => ({ kind: 'doubling', seedSide: 2, stepsPerStage });

/** Makes a rule with random weights, its target, and its segments, which the test disposes of. */
function setUp(
  update: Record<string, unknown>,
  growth: Record<string, unknown>,
  likelihood = GAUSSIAN,
  { side = SIDE, channels = 0 } = {},
) {
  const c = imageChannels(likelihood);
  const size = channels || (c === 1 ? 3 : 4);
  const latent = 'genome' in update ? size + 1 : size;
  const spec: DecoderSpec = tinyCard({
    side,
    channels: size,
    latentSize: latent,
    update,
    growth,
    readout: { kind: 'bernoulli', channel: 0 },
    presence: { threshold: 0.5 },
  });
  const image = normals([N, side, side, c], 1);
  image.data.forEach((x, i) => {
    image.data[i] = x > 0 ? 1 : 0;
  });
  const options = { spec, likelihood, batch: N, rest: REST };
  return {
    spec,
    image,
    parameters: randomParameters(updateShapes(spec), 20),
    latents: normals([N, latent], 2),
    weight: { shape: [N], data: Float32Array.from([0.1, -0.05]) },
    segments: new Segments({ compute, ...options }),
    native: native && new Segments({ compute: native, ...options }),
  };
}
type SetUp = ReturnType<typeof setUp>;

/** Returns the inputs of a segment's program, except the states. */
type InputSource = (segment: Segment) => Record<string, Numbers>;

/** Creates masks by the number of the step, so that they do not depend on the cuts. */
function maskSource({ spec }: SetUp): InputSource {
  let step = 0;
  return ({ stage, steps }) => {
    const masks: Record<string, Numbers> = {};
    for (let i = 0; spec.update.updateProbability < 1 && i < steps; i++) {
      const mask = normals([N, stage, stage, 1], 100 + step++);
      mask.data.forEach((x, j) => {
        mask.data[j] = x > -0.3 ? 1 : 0;
      });
      masks[`mask${i}`] = mask;
    }
    return masks;
  };
}

/**
 * Closes half of the ground of each patch, the left or the lower half. With a rim, the ground opens
 * column by column, and the last two columns are not judged.
 */
function openSource(segments: readonly Segment[]): InputSource {
  const { stage: side } = segments[segments.length - 1];
  return (segment) => {
    const { stage, crowded, rim } = segment;
    if (rim) {
      const at = segments.indexOf(segment);
      const past = segments
        .slice(0, at)
        .reduce((sum, { steps, rim }) => sum + (rim ? steps : 0), 0);
      const closed = Float32Array.from({ length: N * side * side }, (_, i) =>
        Math.max(0, (i < side * side ? i % side : side - 1 - (i % side)) - 3),
      );
      const of = (data: Float32Array): Numbers => ({ shape: [N, side, side, 1], data });
      return {
        closed: of(closed.map((steps) => Math.max(0, steps - past))),
        seen: of(closed.map((steps) => (steps <= past ? 1 : 0))),
      };
    }
    if (!crowded) return {};
    const inset = (side - stage) / 2;
    const data = Float32Array.from({ length: N * stage * stage }, (_, i) => {
      const [x, y] = [inset + (i % stage), inset + (Math.floor(i / stage) % stage)];
      return (i < stage * stage ? x : y) < side / 2 ? 1 : 0;
    });
    return { open: { shape: [N, stage, stage, 1], data } };
  };
}

/** Returns a map [N, side, side, channels] with zeros on closed ground. */
function onOpen(data: ArrayLike<number>, channels: number, open: Numbers): Numbers {
  const kept = Float32Array.from(data, (x, i) => x * open.data[Math.floor(i / channels)]);
  return { shape: [...open.shape.slice(0, 3), channels], data: kept };
}

/** Returns the nats of the change in one step, weighted by sample. */
function restOf(after: Float32Array, before: Float32Array, weight: Numbers): number {
  const size = after.length / N;
  return after.reduce(
    (sum, x, i) =>
      sum -
      0.5 * REST.weight * weight.data[Math.floor(i / size)] * ((x - before[i]) / REST.sigma) ** 2,
    0,
  );
}

/** Computes Σ weight · nats at the judged ends of segments with the forward programs alone. */
async function objective(
  given: SetUp,
  rollout: readonly Segment[],
  judged: ReadonlySet<number>,
  changed: { parameters?: Record<string, Numbers>; latents?: Numbers } = {},
): Promise<number> {
  const { segments, image, weight } = given;
  const parameters = upload(compute, changed.parameters ?? given.parameters);
  const { latents, target } = upload(compute, {
    latents: changed.latents ?? given.latents,
    target: image,
  });
  const conditioning = await segments.condition(parameters, latents);
  const masks = maskSource(given);
  const grounds = openSource(rollout);
  const measure = await segments.measure();
  let states: { states?: Value } = {};
  let sum = 0;
  for (const [i, segment] of rollout.entries()) {
    const program = await segments.forward(segment);
    const ground = grounds(segment);
    const chance = upload(compute, { ...masks(segment), ...ground });
    const results = await program.run({
      ...parameters,
      ...conditioning.inputs,
      ...chance,
      ...states,
    });
    const before = states.states;
    states = { states: results.states };
    if (i < rollout.length - 1 && !judged.has(i)) continue;
    const mask = ground.seen ?? ground.open;
    const after = await compute.read(results.states);
    if (segment.rest) sum += restOf(after, await compute.read(before!), weight);
    const seen = mask
      ? upload(compute, {
          states: onOpen(after, given.spec.channels, mask),
          image: onOpen(image.data, image.shape[3], mask),
        })
      : { ...states, image: target };
    const { nats } = await measure.run(seen as never);
    (await compute.read(nats)).forEach((x, n) => {
      sum += weight.data[n] * x;
    });
  }
  return sum;
}

/**
 * Computes gradients with the reverse programs: `total:` and the name of a parameter or `latents`;
 * and `nats`.
 *
 * @param judged segments whose last states are judged, in addition to the last segment
 * @param differentiated number of last segments to differentiate
 */
async function gradientsOf(
  given: SetUp,
  rollout: readonly Segment[],
  judged: ReadonlySet<number>,
  differentiated = rollout.length,
  segments = given.segments,
): Promise<Record<string, Float32Array>> {
  const { latents, image, weight } = given;
  const totals: Record<string, Numbers> = {};
  for (const [name, shape] of segments.totalShapes) {
    totals[`total:${name}`] = { shape, data: new Float32Array(sizeOf(shape)) };
  }
  const masks = maskSource(given);
  const values = upload(compute, { latents, image, weight });
  const parameters = upload(compute, given.parameters);
  const zeros = upload(compute, totals);
  const grounds = openSource(rollout);
  const seenAt = (i: number) => {
    const { seen } = grounds(rollout[i]);
    return seen ? upload(compute, { seen }) : {};
  };
  const result = await differentiate({ compute, segments, zeros }, parameters, {
    segments: rollout,
    differentiated,
    targets: new Map(
      [...judged, rollout.length - 1].map((i) => [
        i,
        { image: values.image, weight: values.weight, ...seenAt(i) },
      ]),
    ),
    conditioning: await segments.condition(parameters, values.latents),
    masks: (segment) => upload(compute, { ...masks(segment), ...grounds(segment) }),
  });
  const read: Record<string, Float32Array> = { nats: result.nats };
  for (const [name, value] of Object.entries(result.totals)) {
    read[name] = Float32Array.from(await compute.read(value));
  }
  return read;
}

/** Compares gradients, each relative to the largest of its tensor. */
function expectSame(
  found: Readonly<Record<string, Float32Array>>,
  wanted: Readonly<Record<string, Float32Array>>,
): void {
  expect(new Set(Object.keys(found))).toEqual(new Set(Object.keys(wanted)));
  for (const [name, data] of Object.entries(wanted)) {
    const scale = data.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-3);
    const inScale = (numbers: Float32Array) => numbers.map((x) => x / scale);
    expectNear(inScale(found[name]), inScale(data), 1e-4);
  }
}

/** Expects that native code computes the same gradients as expressions. */
async function expectNative(
  given: SetUp,
  rollout: readonly Segment[],
  judged: ReadonlySet<number>,
): Promise<void> {
  const wanted = await gradientsOf(given, rollout, judged);
  expectSame(await gradientsOf(given, rollout, judged, rollout.length, given.native), wanted);
}

/**
 * Compares the gradient of every parameter and latent with finite differences.
 *
 * @param judged see `gradientsOf`
 */
async function expectGradients(
  given: SetUp,
  rollout: readonly Segment[],
  judged: ReadonlySet<number>,
): Promise<void> {
  const found = await gradientsOf(given, rollout, judged);
  const check = slopeChecker();
  const { parameters } = given;
  for (const [name, tensor] of Object.entries({ ...parameters, latents: given.latents })) {
    const total = found[`total:${name.replace('parameter:', '')}`];
    for (let at = 0; at < tensor.data.length; at++) {
      const wanted = await slopeAt(tensor, at, (data) => {
        const moved = { [name]: { ...tensor, data } };
        const changed = name === 'latents' ? moved : { parameters: { ...parameters, ...moved } };
        return objective(given, rollout, judged, changed);
      });
      check.compare(name, at, total[at], wanted);
    }
  }
  expect(check.wrong()).toEqual([]);
  expect(check.steep()).toBeGreaterThan(0.5);
}

const BERNOULLI: Likelihood = { kind: 'bernoulli', channel: 0 };

const ROLLOUTS: [string, Record<string, unknown>, Record<string, unknown>, Likelihood][] = [
  ['simple, doubling', { kind: 'simple', hidden: 4 }, doubling(2), BERNOULLI],
  [
    'simple with a last bias, uniform, by chance',
    { kind: 'simple', hidden: 4, outBias: true, updateProbability: 0.5 },
    { kind: 'uniform', steps: 5 },
    BERNOULLI,
  ],
  [
    'residual with a standing input, doubling',
    { kind: 'residual', hidden: 3, standingInput: true },
    doubling(2),
    GAUSSIAN,
  ],
  ['residual with a genome net and a leak, doubling', genomeUpdate(3), doubling(1), GAUSSIAN],
  [
    'residual with a calm genome net, latents of more numbers than a cell',
    calmUpdate(3),
    doubling(1),
    GAUSSIAN,
  ],
  [
    // Few steps, because a limit has corners, at which a finite difference matches neither slope.
    'residual with a limit, uniform',
    { kind: 'residual', hidden: 3, stateLimit: 1.5 },
    { kind: 'uniform', steps: 1 },
    BERNOULLI,
  ],
  ['res4, uniform', { kind: 'res4', hidden: 3 }, { kind: 'uniform', steps: 4 }, BERNOULLI],
  [
    'res4 with a standing input, doubling, by chance',
    { kind: 'res4', hidden: 3, standingInput: true, updateProbability: 0.7 },
    doubling(1),
    GAUSSIAN,
  ],
];

describe.each(ROLLOUTS)('%s', (_, update, growth, likelihood) => {
  const given = setUp(update, growth, likelihood);
  /** Grows, judges, then takes a few more steps. */
  const more = update.stateLimit ? 1 : 3;
  const rollout = (longest: number): { segments: Segment[]; judged: ReadonlySet<number> } => {
    const grown = growthSegments(given.spec, longest);
    return {
      segments: [...grown, ...stayingSegments(given.spec, more, longest)],
      judged: new Set([grown.length - 1]),
    };
  };
  afterAll(() => given.segments.dispose());

  it('has the gradient of every number through the whole rollout', async () => {
    const { segments, judged } = rollout(2);
    await expectGradients(given, segments, judged);
  });

  // In short, of a rule by chance and of one with a genome.
  const anyLength = isFull || 'genome' in update || 'updateProbability' in update ? it : () => {};
  anyLength('has the same gradient for any segment length', async () => {
    const results = [];
    for (const longest of [1, 3, 100]) {
      const { segments, judged } = rollout(longest);
      results.push(await gradientsOf(given, segments, judged));
    }
    const [whole] = results;
    for (const other of results.slice(1)) expectSame(other, whole);
  });

  testNative('has the same gradient by native code', async () => {
    const { segments, judged } = rollout(2);
    await expectNative(given, segments, judged);
  });
});

it('differentiates only the last segments on request', async () => {
  const given = setUp({ kind: 'residual', hidden: 3 }, { kind: 'uniform', steps: 4 }, BERNOULLI);
  const rollout = growthSegments(given.spec, 1);
  const none = new Set<number>();
  const [all, last] = [
    await gradientsOf(given, rollout, none),
    await gradientsOf(given, rollout, none, 1),
  ];
  expect(last.nats).toEqual(all.nats);
  expect(last['total:latents'].every((x) => x === 0)).toBe(true);
  expect(all['total:latents'].some((x) => x !== 0)).toBe(true);
  expect(last['total:update.out.kernel']).not.toEqual(all['total:update.out.kernel']);
  await given.segments.dispose();
});

describe('segments', () => {
  const spec = setUp({ kind: 'simple', hidden: 4 }, doubling(3)).spec;

  it('cover all steps of growth, with a division at the start of a stage', () => {
    expect(growthSegments(spec, 2)).toEqual([
      { begin: 'seed', stage: 2, steps: 1 },
      { begin: 'go-on', stage: 2, steps: 2 },
      { begin: 'divide', stage: 4, steps: 1 },
      { begin: 'go-on', stage: 4, steps: 2 },
      { begin: 'divide', stage: 8, steps: 1 },
      { begin: 'go-on', stage: 8, steps: 2 },
    ]);
  });
});

const leaking = { kind: 'residual', hidden: 3, standingInput: true, leak: 0.2 };

const rim = (steps: number): Segment => ({ begin: 'go-on', stage: SIDE, steps, rim: true });
const still: Segment = { begin: 'go-on', stage: SIDE, steps: 1 };
const grown = (given: SetUp): Segment[] => growthSegments(given.spec, 2);

/** A rollout for each option of segments. */
const OPTIONS: [string, SetUp, (given: SetUp) => Segment[]][] = [
  [
    'a change in the last step counts where it should rest',
    setUp(leaking, doubling(1)),
    (given) => [...grown(given), still, { ...still, rest: true }],
  ],
  [
    'gradients come only from open ground',
    setUp(leaking, doubling(1)),
    (given) =>
      [...grown(given), still, { ...still, rest: true }].map((segment) => ({
        ...segment,
        crowded: true,
      })),
  ],
  [
    'gradients come only from cells that count, as wounds close',
    setUp(leaking, doubling(1)),
    (given) => [...grown(given), rim(2), rim(2)],
  ],
];

describe.each(OPTIONS)('%s', (_, given, segmentsOf) => {
  const rollout = segmentsOf(given);
  const judged = new Set([rollout.length - 2]);
  afterAll(() => given.segments.dispose());

  it('by expressions', () => expectGradients(given, rollout, judged));
  testNative('by native code', () => expectNative(given, rollout, judged));
});

/**
 * Nets with more units than a vector register, on patches with incomplete tiles. Few steps, because
 * a cell near a corner of a rectifier or limit may fall on either side.
 */
testNative.each([
  ['rectified', { ...calmUpdate(37), activation: 'relu', stateLimit: 2, updateProbability: 0.6 }],
  ['with scales', { ...genomeUpdate(70), stateLimit: 1 }],
  ['res4', { kind: 'res4', hidden: 21 }],
])('large patches: %s', async (_, update) => {
  const sizes = { side: 22, channels: 19 };
  const given = setUp(update, { kind: 'uniform', steps: 1 }, GAUSSIAN, sizes);
  const rollout = [...growthSegments(given.spec, 1), ...stayingSegments(given.spec, 1, 1)];
  await expectNative(given, rollout, new Set([0]));
  await given.segments.dispose();
});

/** Returns the states after a segment. */
async function stepped(
  given: SetUp,
  segment: Segment,
  inputs: Record<string, Numbers>,
): Promise<Float32Array> {
  const parameters = upload(compute, given.parameters);
  const { latents } = upload(compute, { latents: given.latents });
  const conditioning = await given.segments.condition(parameters, latents);
  const program = await given.segments.forward(segment);
  const all = { ...parameters, ...conditioning.inputs, ...upload(compute, inputs) };
  const after = Float32Array.from(await compute.read((await program.run(all)).states));
  conditioning.free();
  return after;
}

describe('segments with a rim', () => {
  const given = setUp(leaking, doubling(1));
  afterAll(() => given.segments.dispose());
  it('keep each cell at zero until it opens', async () => {
    const segments = [rim(1), rim(2)];
    let states = normals([N, SIDE, SIDE, given.spec.channels], 7);
    const lives: boolean[][] = [];
    for (const segment of segments) {
      const { closed } = openSource(segments)(segment);
      states = { ...states, data: await stepped(given, segment, { states, closed }) };
      lives.push(
        Array.from({ length: SIDE }, (_, x) => states.data[x * given.spec.channels] !== 0),
      );
    }
    // Columns from 4 on are closed for 1, 2, 3 and 4 steps. A cell lives one step after it opens.
    expect(lives[0]).toEqual([true, true, true, true, false, false, false, false]);
    expect(lives[1]).toEqual([true, true, true, true, true, true, false, false]);
  });
});
