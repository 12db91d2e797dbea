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
import { expectNear } from '../../../support/near.ts';
import { calmUpdate, genomeUpdate } from '../../vnca/tiny-model.ts';
import { expectGradients, gradientsOf } from './rollout-gradients.ts';
import { doubling, GAUSSIAN, SIDE, setUp } from './rollouts.ts';

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
