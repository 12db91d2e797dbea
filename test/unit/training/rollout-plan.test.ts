import type { TrainingConfig } from '../../../server/training/config.ts';
import { shrink } from '../../../server/training/rollout.ts';
import {
  calmPlan,
  crowdedPlan,
  freshPlan,
  openGround,
  pooledPlan,
} from '../../../server/training/rollout-plan.ts';
import { createRandom } from '../../../shared/random.ts';
import { TINY_POOL, tinyConfig } from './tiny-run.ts';

const now = { side: 8, progress: 0, leak: 0 };
const images = Uint32Array.of(1, 2);
const stepsOf = ({ segments }: { segments: readonly { steps: number }[] }): number =>
  segments.reduce((sum, { steps }) => sum + steps, 0);

describe('a plan of new organisms', () => {
  it('doubles to the side, and has a target only at its end by default', () => {
    const plan = freshPlan(tinyConfig(), images, now, createRandom(1));
    expect(plan.segments.map(({ begin, stage, steps }) => [begin, stage, steps])).toEqual([
      ['seed', 2, 2],
      ['divide', 4, 2],
      ['divide', 8, 2],
    ]);
    expect(plan.differentiated).toBe(3);
    expect([...plan.judged].filter(([, counts]) => counts > 0)).toEqual([[2, 1]]);
  });

  it('has targets at each stage, after growth, and after the extra steps', () => {
    const config = tinyConfig({ judgeStages: 0.25, judgeGrown: 0.5, extraSteps: [4, 4] });
    const plan = freshPlan(config, images, now, createRandom(1));
    expect(plan.segments.map(({ stage }) => stage)).toEqual([2, 4, 8, 8, 8]);
    expect([...plan.judged].sort()).toEqual([
      [1, 0.25],
      [2, 0.5],
      [4, 1],
    ]);
  });

  it('grows uniformly for a random number of steps, both ends included', () => {
    const config = tinyConfig({ growth: { kind: 'uniform', steps: 4 }, growthSteps: [3, 5] });
    const random = createRandom(2);
    const counts = new Set<number>();
    for (let i = 0; i < 60; i++) counts.add(stepsOf(freshPlan(config, images, now, random)));
    expect([...counts].sort()).toEqual([3, 4, 5]);
  });

  it('takes the number of steps from the chance of the update', () => {
    const config = tinyConfig({ growth: { kind: 'uniform', steps: 4 }, growthSteps: [3, 5] });
    const counts = [0, 0.32, 0.34, 0.66, 0.67, 0.999].map((chance) => {
      const moment = { ...now, chance };
      return [1, 2, 3].map((seed) =>
        stepsOf(freshPlan(config, images, moment, createRandom(seed))),
      );
    });
    expect(counts).toEqual([3, 3, 4, 4, 5, 5].map((steps) => [steps, steps, steps]));
  });
});

describe('a plan of pooled organisms', () => {
  const withPool = (pool: object) =>
    tinyConfig({ pool: { ...TINY_POOL, size: 8, batch: 4, ...pool } }) as TrainingConfig & {
      pool: NonNullable<TrainingConfig['pool']>;
    };
  const entries = [0, 1].map((image) => ({
    image,
    look: 7 + image,
    age: 10 * image,
    states: new Float32Array(8 * 8 * 6).fill(1),
  }));
  const zeros = (states: Float32Array, i: number): number =>
    states.subarray(i * 384, (i + 1) * 384).filter((x) => x === 0).length;

  it('damages the first drawn states, and not the pool itself', () => {
    const config = withPool({ wounded: 0.75, wounds: ['square'] });
    const random = createRandom(3);
    const first = pooledPlan(config, entries, 0, now, random);
    const second = pooledPlan(config, entries, 2, now, random);
    // A square of half the side each way: 4 × 4 cells of 6 numbers.
    expect([zeros(first.states!, 0), zeros(first.states!, 1)]).toEqual([96, 96]);
    expect([zeros(second.states!, 0), zeros(second.states!, 1)]).toEqual([96, 0]);
    for (const { states } of entries) expect(states.every((x) => x === 1)).toBe(true);
    expect(first.ages).toEqual([0, 10]);
    expect([...first.images]).toEqual([0, 1]);
    // Mirrored as it was when it grew.
    expect(first.looks).toEqual([7, 8]);
  });

  it('differentiates only the last steps if configured', () => {
    const plan = pooledPlan(
      withPool({ steps: [7, 7], gradientSteps: 3 }),
      entries,
      0,
      now,
      createRandom(1),
    );
    expect(stepsOf(plan)).toBe(7);
    expect(stepsOf({ segments: plan.segments.slice(-plan.differentiated) })).toBe(3);
    expect([...plan.judged]).toEqual([[plan.segments.length - 1, 1]]);
  });

  it('is short and without damage for calm states', () => {
    const calm = { batch: 4, steps: [2, 2] as [number, number], metamorphosis: false };
    const config = withPool({ size: 9, wounded: 1, calm });
    const plan = calmPlan(
      { ...config, pool: { ...config.pool, calm } },
      entries,
      now,
      createRandom(1),
    );
    expect(stepsOf(plan)).toBe(2);
    expect(plan.differentiated).toBe(plan.segments.length);
    expect([...plan.judged]).toEqual([[plan.segments.length - 1, 1]]);
    expect(plan.states!.every((x) => x === 1)).toBe(true);
    expect(plan.ages).toEqual([0, 10]);
  });

  it.each([
    ['fresh', 0],
    ['all', 1],
  ])('counts the divergence of %s organisms', (divergence, counts) => {
    const plan = pooledPlan(withPool({ divergence }), entries, 0, now, createRandom(1));
    expect(plan.divergence).toBe(counts);
  });
});

test('pictures of smaller stages are means of blocks', () => {
  const image = Float32Array.from({ length: 2 * 4 * 4 * 2 }, (_, i) => i);
  const small = shrink(image, 4, 2, 2);
  expect(small).toHaveLength(2 * 2 * 2 * 2);
  // Cells (0,0) (1,0) (0,1) (1,1) of the first channel: 0, 2, 8, 10.
  expect(small[0]).toBe(5);
  expect(small[1]).toBe(6);
  // The last block of the second image: cells 10, 11, 14, 15 of 16 on.
  expect(small[14]).toBe((2 * (26 + 27 + 30 + 31)) / 4);
});

describe('a plan of crowded organisms', () => {
  const config = tinyConfig({
    pool: { ...TINY_POOL, crowded: { batch: 2, fresh: 1 } },
  }) as TrainingConfig & { pool: NonNullable<TrainingConfig['pool']> };

  it('uses the open ground of its entries', () => {
    const entries = [1, 2].map((image) => ({
      image,
      age: 0,
      states: new Float32Array(8 * 8 * 6).fill(image),
      open: Uint8Array.from({ length: 64 }, (_, cell) => (cell % 8 < 4 * image ? 1 : 0)),
    }));
    const plan = crowdedPlan(config, entries, now, createRandom(1));
    expect([...plan.open!]).toEqual(entries.flatMap(({ open }) => [...open]));
    expect([...plan.states!]).toEqual(entries.flatMap(({ states }) => [...states]));
    expect(plan.segments.every(({ crowded }) => crowded)).toBe(true);
  });

  it('can begin with a seed', () => {
    const plan = freshPlan(config, images, now, createRandom(1));
    expect(plan.open).toHaveLength(2 * 64);
    expect(plan.segments.every(({ crowded }) => crowded)).toBe(true);
    const alone = freshPlan(tinyConfig({ pool: TINY_POOL }), images, now, createRandom(1));
    expect(alone.open).toBeUndefined();
  });

  it('leaves the middle open, and closes no more than allowed', () => {
    const random = createRandom(5);
    let closed = 0;
    for (let i = 0; i < 300; i++) {
      const open = openGround(random, 32, 0.6);
      const taken = open.filter((x) => x === 0).length;
      closed = Math.max(closed, taken);
      for (const cell of [15 * 32 + 15, 15 * 32 + 16, 16 * 32 + 15, 16 * 32 + 16]) {
        expect(open[cell]).toBe(1);
      }
    }
    expect(closed).toBeLessThanOrEqual(0.6 * 1024);
    expect(closed).toBeGreaterThan(0.4 * 1024);
  });
});
