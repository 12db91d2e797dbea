/**
 * The reverse loop: gradients of whole rollouts, cut into segments of any length, against finite
 * differences of every number that training moves.
 */
import { createOnnxCompute } from '../../../../server/autodiff/onnx.ts';
import type { Likelihood } from '../../../../server/training/model/likelihood.ts';
import {
  growthSegments,
  type Segment,
  stayingSegments,
} from '../../../../server/training/model/segments.ts';
import { expectNear } from '../../../support/compare.ts';
import { calmUpdate, genomeUpdate } from '../../vnca/tiny-model.ts';
import { expectGradients, gradientsOf } from './rollout-gradients.ts';
import { doubling, GAUSSIAN, N, openSource, SIDE, setUp } from './rollouts.ts';
import { normals, upload } from './small.ts';

const compute = createOnnxCompute({ threads: 1 });
afterAll(() => compute.dispose());
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
    // Short: a limit has corners, and a difference that spans one is neither slope.
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
  const given = setUp(compute, update, growth, likelihood);
  /** Grown, judged, then a few steps more. */
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

  it('has the same gradient for any segment length', async () => {
    const results = [];
    for (const longest of [1, 3, 100]) {
      const { segments, judged } = rollout(longest);
      results.push(await gradientsOf(given, segments, judged));
    }
    const [whole] = results;
    for (const other of results.slice(1)) {
      expect(Object.keys(other)).toEqual(Object.keys(whole));
      for (const [name, data] of Object.entries(whole)) {
        const scale = data.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-3);
        const inScale = (numbers: Float32Array) => numbers.map((x) => x / scale);
        expectNear(inScale(other[name]), inScale(data), 1e-4);
      }
    }
  });
});

it('differentiates only the last segments on request', async () => {
  const given = setUp(
    compute,
    { kind: 'residual', hidden: 3 },
    { kind: 'uniform', steps: 4 },
    BERNOULLI,
  );
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
  const spec = setUp(compute, { kind: 'simple', hidden: 4 }, doubling(3), BERNOULLI).spec;

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

  it('of a grown patch begin with nothing', () => {
    expect(stayingSegments(spec, 5, 3)).toEqual([
      { begin: 'go-on', stage: 8, steps: 2 },
      { begin: 'go-on', stage: 8, steps: 3 },
    ]);
    expect(stayingSegments(spec, 0, 3)).toEqual([]);
  });
});

it('a change in the last step counts where it should rest', async () => {
  const update = { kind: 'residual', hidden: 3, standingInput: true, leak: 0.2 };
  const given = setUp(compute, update, doubling(1), GAUSSIAN);
  const still = { begin: 'go-on', stage: SIDE, steps: 1 } as const;
  await expectGradients(
    given,
    [...growthSegments(given.spec, 2), still, { ...still, rest: true }],
    new Set(),
  );
  await given.segments.dispose();
});

const update = { kind: 'residual', hidden: 3, standingInput: true, leak: 0.2 };

describe('a crowded segment', () => {
  const given = setUp(compute, update, doubling(1), GAUSSIAN);
  const rollout = [...growthSegments(given.spec, 2), ...stayingSegments(given.spec, 3, 2)].map(
    (segment) => ({ ...segment, crowded: true }),
  );
  afterAll(() => given.segments.dispose());

  it('has gradients only from open ground', async () => {
    await expectGradients(given, rollout, new Set());
  });

  it('does not depend on states on closed ground', async () => {
    const parameters = upload(compute, given.parameters);
    const { latents } = upload(compute, { latents: given.latents });
    const conditioning = await given.segments.condition(parameters, latents);
    const step: Segment = { begin: 'go-on', stage: SIDE, steps: 1, crowded: true };
    const { open } = openSource([step])(step);
    const before = normals([N, SIDE, SIDE, given.spec.channels], 7);
    const other = { ...before, data: before.data.slice() };
    other.data.forEach((_, i) => {
      if (open.data[Math.floor(i / given.spec.channels)] === 0) other.data[i] = 9;
    });
    const program = await given.segments.forward(step);
    const results = [];
    for (const states of [before, other]) {
      const inputs = upload(compute, { states, open });
      const { states: after } = await program.run({
        ...parameters,
        ...conditioning.inputs,
        ...inputs,
      });
      results.push([...(await compute.read(after))]);
    }
    expect(results[1]).toEqual(results[0]);
    conditioning.free();
  });
});

describe('segments with a rim', () => {
  const given = setUp(compute, update, doubling(1), GAUSSIAN);
  afterAll(() => given.segments.dispose());
  const rim = (steps: number): Segment => ({ begin: 'go-on', stage: SIDE, steps, rim: true });

  it('have gradients only from cells that count', async () => {
    const rollout = [...growthSegments(given.spec, 2), rim(2), rim(2)];
    await expectGradients(given, rollout, new Set([rollout.length - 2]));
  });

  it('keep each cell at zero until it opens', async () => {
    const parameters = upload(compute, given.parameters);
    const { latents } = upload(compute, { latents: given.latents });
    const conditioning = await given.segments.condition(parameters, latents);
    const segments = [rim(1), rim(2)];
    let states = normals([N, SIDE, SIDE, given.spec.channels], 7);
    const lives: boolean[][] = [];
    for (const segment of segments) {
      const { closed } = openSource(segments)(segment);
      const program = await given.segments.forward(segment);
      const inputs = {
        ...parameters,
        ...conditioning.inputs,
        ...upload(compute, { states, closed }),
      };
      const { states: after } = await program.run(inputs);
      states = { ...states, data: Float32Array.from(await compute.read(after)) };
      lives.push(
        Array.from({ length: SIDE }, (_, x) => states.data[x * given.spec.channels] !== 0),
      );
    }
    // Columns from 4 on are closed for 1, 2, 3, 4 steps; a cell lives in the step after.
    expect(lives[0]).toEqual([true, true, true, true, false, false, false, false]);
    expect(lives[1]).toEqual([true, true, true, true, true, true, false, false]);
    conditioning.free();
  });
});
