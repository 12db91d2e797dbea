import type { TrainingConfig } from '../../../server/training/config.ts';
import { shrink } from '../../../server/training/rollout/rollout.ts';
import { freshPlan, pooledPlan } from '../../../server/training/rollout/rollout-plan.ts';
import { openGround } from '../../../server/training/rollout/wounds.ts';
import { createRandom } from '../../../shared/random.ts';
import { TINY_POOL, tinyConfig } from './tiny-run.ts';

const now = (seed = 1) => ({ side: 8, progress: 0, leak: 0, random: createRandom(seed) });
const images = Uint32Array.of(1, 2);
const stepsOf = ({ segments }: { segments: readonly { steps: number }[] }): number =>
  segments.reduce((sum, { steps }) => sum + steps, 0);
const withPool = (pool: object) =>
  tinyConfig({ pool: { ...TINY_POOL, size: 8, batch: 4, ...pool } }) as TrainingConfig & {
    pool: NonNullable<TrainingConfig['pool']>;
  };

describe('a plan of new organisms', () => {
  it('doubles to the side, and has a target only at its end by default', () => {
    const plan = freshPlan(tinyConfig(), images, now());
    expect(plan.segments).toEqual([
      { begin: 'seed', stage: 2, steps: 2 },
      { begin: 'divide', stage: 4, steps: 2 },
      { begin: 'divide', stage: 8, steps: 2 },
    ]);
    expect(plan.differentiated).toBe(3);
    expect([...plan.judged].filter(([, counts]) => counts > 0)).toEqual([[2, 1]]);
  });

  it('has targets at each stage, after growth, and after the extra steps', () => {
    const config = tinyConfig({ judgeStages: 0.25, judgeGrown: 0.5, extraSteps: [4, 4] });
    const plan = freshPlan(config, images, now());
    expect(plan.segments.map(({ stage }) => stage)).toEqual([2, 4, 8, 8, 8]);
    expect(Object.fromEntries(plan.judged)).toEqual({ 1: 0.25, 2: 0.5, 4: 1 });
  });

  it('grows uniformly for a random number of steps, or for that of the update', () => {
    const config = tinyConfig({ growth: { kind: 'uniform', steps: 4 }, growthSteps: [3, 5] });
    const moment = now(2);
    const counts = new Set<number>();
    for (let i = 0; i < 60; i++) counts.add(stepsOf(freshPlan(config, images, moment)));
    expect([...counts].sort()).toEqual([3, 4, 5]);
    const chances = [0, 0.32, 0.34, 0.66, 0.67, 0.999];
    const steps = chances.map((chance) => stepsOf(freshPlan(config, images, { ...now(), chance })));
    expect(steps).toEqual([3, 3, 4, 4, 5, 5]);
  });

  it('can grow beside neighbours', () => {
    const plan = freshPlan(withPool({ crowded: { batch: 2, fresh: 1 } }), images, now());
    expect(plan.open).toHaveLength(2 * 64);
    expect(plan.segments.every(({ crowded }) => crowded)).toBe(true);
    expect(freshPlan(withPool({}), images, now()).open).toBeUndefined();
  });
});

describe('a plan of pooled organisms', () => {
  const entries = [0, 1].map((image) => ({
    image,
    look: 7 + image,
    age: 10 * image,
    states: new Float32Array(8 * 8 * 6).fill(1),
  }));
  const zeros = (states: Float32Array, i: number): number =>
    states.subarray(i * 384, (i + 1) * 384).filter((x) => x === 0).length;

  it('damages the first states, and not the pool itself', () => {
    const config = withPool({ wounds: ['square'] });
    // A square of half the side each way: 4 × 4 cells of 6 numbers.
    for (const [wounded, lost] of [
      [3, [96, 96]],
      [1, [96, 0]],
      [0, [0, 0]],
      [-1, [0, 0]],
    ] as const) {
      const { states } = pooledPlan(config, entries, { steps: [1, 1], wounded }, now());
      expect([zeros(states!, 0), zeros(states!, 1)]).toEqual(lost);
    }
    for (const { states } of entries) expect(states.every((x) => x === 1)).toBe(true);
  });

  it('continues as its entries grew, and differentiates only the last steps if configured', () => {
    const config = withPool({ gradientSteps: 3 });
    const plan = pooledPlan(config, entries, { steps: [7, 7], wounded: 0 }, now());
    expect(plan).toMatchObject({ images: Uint32Array.of(0, 1), looks: [7, 8], ages: [0, 10] });
    expect(stepsOf(plan)).toBe(7);
    expect(stepsOf({ segments: plan.segments.slice(-plan.differentiated) })).toBe(3);
    expect([...plan.judged]).toEqual([[plan.segments.length - 1, 1]]);
  });

  it.each([
    ['fresh', 0],
    ['all', 1],
  ])('counts the divergence of %s organisms', (divergence, counts) => {
    const plan = pooledPlan(
      withPool({ divergence }),
      entries,
      { steps: [1, 1], wounded: 0 },
      now(),
    );
    expect(plan.divergence).toBe(counts);
  });

  it('uses the open ground of its entries', () => {
    const crowd = entries.map((entry, i) => ({
      ...entry,
      open: Uint8Array.from({ length: 64 }, (_, cell) => (cell % 8 < 4 * i ? 1 : 0)),
    }));
    const plan = pooledPlan(withPool({}), crowd, { steps: [1, 1], wounded: 0 }, now());
    expect([...plan.open!]).toEqual(crowd.flatMap(({ open }) => [...open]));
    expect(plan.segments.every(({ crowded }) => crowded)).toBe(true);
  });
});

test('open ground includes the middle, and no more is closed than allowed', () => {
  const random = createRandom(5);
  let closed = 0;
  for (let i = 0; i < 300; i++) {
    const open = openGround(random, 32, 0.6);
    closed = Math.max(closed, open.filter((x) => x === 0).length);
    for (const cell of [15 * 32 + 15, 15 * 32 + 16, 16 * 32 + 15, 16 * 32 + 16]) {
      expect(open[cell]).toBe(1);
    }
  }
  expect(closed).toBeLessThanOrEqual(0.6 * 1024);
  expect(closed).toBeGreaterThan(0.4 * 1024);
});

test('pictures of smaller stages are means of blocks', () => {
  const image = Float32Array.from({ length: 2 * 4 * 4 * 2 }, (_, i) => i);
  const small = shrink(image, 4, 2, 2);
  expect(small).toHaveLength(2 * 2 * 2 * 2);
  // Cells (0,0) (1,0) (0,1) (1,1) of the first channel: 0, 2, 8, 10.
  expect([small[0], small[1]]).toEqual([5, 6]);
  // The last block of the second image: cells 10, 11, 14, 15 of 16 on.
  expect(small[14]).toBe((2 * (26 + 27 + 30 + 31)) / 4);
});
