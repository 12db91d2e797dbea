import { drawnAt, type TrainingConfig } from '../../../server/training/config.ts';
import { shrink } from '../../../server/training/data/augment.ts';
import { DataPasses, passImages } from '../../../server/training/data/dataset.ts';
import { seenCells, stepsLeft, wounded } from '../../../server/training/rollout/patients.ts';
import { type PoolEntry, Pools } from '../../../server/training/rollout/pools.ts';
import {
  freshPlan,
  leakAt,
  pointOf,
  pooledPlan,
  progressOf,
} from '../../../server/training/rollout/rollout-plan.ts';
import {
  openGround,
  WOUND_KINDS,
  woundMask,
  woundOfShare,
} from '../../../server/training/rollout/wounds.ts';
import { rateAt } from '../../../server/training/run/optimiser.ts';
import { randomOfUpdate } from '../../../server/training/run/run-state.ts';
import { createRandom } from '../../../shared/random.ts';
import { TINY_POOL, tinyConfig } from './tiny-run.ts';

const INDICES = Uint32Array.of(3, 5, 8, 13, 21, 34, 55);

it('sees every image once in each pass, in another order each time', () => {
  const passes = new DataPasses(INDICES, 1);
  const orders = [0, 1, 2, 3].map((pass) => [...passes.at(7 * pass, 7)]);
  for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual([...INDICES]);
  expect(new Set(orders.map(String)).size).toBe(4);
});

it('depends only on the position, also across passes', () => {
  const whole = [...new DataPasses(INDICES, 1).at(0, 35)];
  const passes = new DataPasses(INDICES, 1);
  for (const from of [28, 5, 0, 13, 6]) {
    for (const one of [passes, new DataPasses(INDICES, 1)]) {
      expect([...one.at(from, 4)]).toEqual(whole.slice(from, from + 4));
    }
  }
});

it('gives every update of every seed its own random numbers', () => {
  const first = (seed: number, update: number): number => randomOfUpdate(seed, update).uniform();
  expect(first(1, 2)).toBe(first(1, 2));
  expect(new Set([first(1, 2), first(1, 3), first(2, 2), first(12, 3), first(1, 23)]).size).toBe(5);
});

test('a pass can show the images of the gallery more often', () => {
  const [train, all] = [Uint32Array.of(5, 7, 9), Uint32Array.of(5, 7, 9, 1)];
  expect([...passImages(all, train, { gallery: 2, galleryTimes: 1 })]).toEqual([5, 7, 9, 1]);
  expect([...passImages(all, train, { gallery: 2, galleryTimes: 3 })]).toEqual([
    5, 7, 9, 1, 5, 7, 5, 7,
  ]);
});

const entry = (image: number, size = 2): PoolEntry => ({
  image,
  states: new Float32Array(size).fill(image),
  age: 0,
});
/** Makes a pool of states on free ground. */
const poolOf = (size: number, pool: readonly PoolEntry[]): Pools => {
  const config = { size, batch: 1, admit: 1, steps: [1, 1] };
  return new Pools({ pool: config } as unknown as ConstructorParameters<typeof Pools>[0], {
    ...{ pool, crowd: [], patients: [] },
  });
};
const entries = (from: number, to: number): PoolEntry[] =>
  Array.from({ length: to - from }, (_, i) => entry(from + i));
const images = (of: Iterable<PoolEntry>): number[] =>
  [...of].map(({ image }) => image).sort((a, b) => a - b);
const counting = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

it('removes drawn entries, and adds others', () => {
  const pool = poolOf(8, entries(0, 6));
  const taken = pool.take('pool', 4, createRandom(1));
  expect(new Set(images(taken)).size).toBe(4);
  expect(pool.count('pool')).toBe(2);
  expect(images([...taken, ...pool.all().pool])).toEqual(counting(6));
  pool.add(taken, createRandom(2));
  expect(images(pool.all().pool)).toEqual(counting(6));
});

it('draws entries, and drops those above its size, with equal probability', () => {
  const random = createRandom(3);
  const [taken, stayed] = [5, 12].map((length) => new Array<number>(length).fill(0));
  for (let i = 0; i < 3000; i++) {
    for (const { image } of poolOf(5, entries(0, 5)).take('pool', 2, random)) taken[image]++;
    const pool = poolOf(8, entries(0, 8));
    pool.add(entries(8, 12), random);
    expect(pool.count('pool')).toBe(8);
    for (const { image } of pool.all().pool) stayed[image]++;
  }
  for (const times of taken) expect(Math.abs(times - 1200)).toBeLessThan(130);
  for (const times of stayed) expect(Math.abs(times - 2000)).toBeLessThan(150);
});

it('shrinks when a run resumes with a smaller size, and drops what does not fit', () => {
  const smaller = poolOf(3, entries(0, 9));
  smaller.add([], createRandom(5));
  expect(smaller.count('pool')).toBe(3);
  const pool = poolOf(8, [...entries(0, 3), entry(3, 8), entry(4, 8)]);
  pool.keep(({ states }) => states.length === 8);
  expect(images(pool.all().pool)).toEqual([3, 4]);
});

const SIDE = 16;
const CHANNELS = 2;
const config = { channels: CHANNELS, presence: { channel: 1, threshold: 0.1 }, closing: 1 };
const lives = (states: Float32Array, cell: number): boolean => states[cell * CHANNELS] !== 0;

/** A living disc on empty ground whose cells also have a state. */
const body = {
  image: 3,
  age: 9,
  states: Float32Array.from({ length: SIDE * SIDE * CHANNELS }, (_, i) => {
    const cell = Math.floor(i / CHANNELS);
    const inside = Math.hypot((cell % SIDE) - 7.5, Math.floor(cell / SIDE) - 7.5) < 6;
    return i % CHANNELS === 0 || inside ? 1 : 0;
  }),
};

/** Returns the cells beside a cell. */
const beside = (cell: number): number[] =>
  [
    cell % SIDE > 0 ? cell - 1 : -1,
    cell % SIDE < SIDE - 1 ? cell + 1 : -1,
    cell - SIDE,
    cell + SIDE < SIDE * SIDE ? cell + SIDE : -1,
  ].filter((other) => other >= 0);

test('a patient has lost what is closed, and each cell opens after one beside it', () => {
  let wounds = 0;
  for (let seed = 0; seed < 60; seed++) {
    const { states, closed, ...rest } = wounded(config, body, SIDE, createRandom(seed));
    expect(rest).toEqual({ image: 3, age: 9 });
    if (!closed) continue;
    wounds++;
    closed.forEach((steps, cell) => {
      expect(lives(states, cell)).toBe(steps === 0);
      if (steps === 1) expect(beside(cell).some((other) => closed[other] === 0)).toBe(true);
    });
    expect(closed.some((steps) => steps > 0)).toBe(true);
  }
  expect(wounds).toBeGreaterThan(50);
  expect(body.states.every((x, i) => i % CHANNELS === 1 || x === 1)).toBe(true);
});

test('ground of neighbours is neither closed nor counted', () => {
  const open = Uint8Array.from({ length: SIDE * SIDE }, (_, cell) => (cell % SIDE < 5 ? 0 : 1));
  const { closed } = wounded(config, { ...body, open }, SIDE, createRandom(1));
  const seen = seenCells(closed!, 100, open);
  open.forEach((is, cell) => {
    if (is === 0) expect(closed![cell]).toBe(0);
    expect(seen[cell]).toBe(is);
  });
});

test('cells count once they have lived for two steps', () => {
  expect([...seenCells(Uint8Array.of(0, 1, 2, 3), 3)]).toEqual([1, 1, 0, 0]);
  expect([...stepsLeft(Uint8Array.of(0, 1, 2, 9), 3)]).toEqual([0, 0, 0, 6]);
});

const { optimiser } = tinyConfig();

describe('the learning rate', () => {
  it('rises over the warm-up, stays, and falls over the last share', () => {
    const shape = { ...optimiser, learningRate: 1, warmup: 10, decay: 0.5 };
    const rate = (update: number): number => rateAt(shape, update, 100);
    expect([rate(1), rate(5), rate(10), rate(50)]).toEqual([0.1, 0.5, 1, 1]);
    expect(rate(75)).toBeCloseTo(0.525, 10);
    expect(rate(100)).toBeCloseTo(0.05, 10);
    // After its planned end, a run keeps the last rate.
    expect(rate(120)).toBeCloseTo(0.05, 10);
  });
});

test('the leak rises from zero to that of the model', () => {
  const update = tinyConfig({ update: { kind: 'residual', hidden: 3, leak: 0.5 } }).update;
  expect(leakAt({ update }, 0)).toBe(0.5);
  const at = (progress: number) => leakAt({ update, leakRamp: [0.25, 0.75] }, progress);
  expect([0, 0.25, 0.5, 0.75, 1].map(at)).toEqual([0, 0, 0.25, 0.5, 0.5]);
  expect(leakAt({ update, leakRamp: [0, 0] }, 0)).toBe(0.5);
});

test('a run from a checkpoint begins behind what its rule has learnt', () => {
  const config = tinyConfig({
    update: { kind: 'residual', hidden: 3, leak: 0.5 },
    leakRamp: [0.25, 0.75],
  });
  const curriculum = [{ side: 4, until: 0.9 }];
  for (const known of [0, 0.125, 0.25, 0.5]) {
    expect(leakAt(config, pointOf(config, known))).toBe(known);
    expect(leakAt(config, pointOf({ ...config, curriculum }, known))).toBe(known);
  }
  expect(pointOf(config, 0)).toBe(0);
  expect(pointOf({ ...config, curriculum }, 0.5)).toBe(0.9);
  expect(pointOf({ curriculum, update: config.update }, 0)).toBe(0.9);
  expect(pointOf({ curriculum: [], update: config.update }, 0.5)).toBe(0);
});

test('ranges grow from one to another over a share of the run', () => {
  expect(drawnAt([3, 5], 0.9)).toEqual([3, 5]);
  const at = (progress: number) => drawnAt({ from: [2, 4], to: [10, 20], over: 0.5 }, progress);
  expect(at(0)).toEqual([2, 4]);
  expect(at(0.25)).toEqual([6, 12]);
  expect(at(0.5)).toEqual([10, 20]);
  expect(at(1)).toEqual([10, 20]);
  expect(drawnAt({ from: [2, 4], to: [10, 20], over: 0 }, 0)).toEqual([10, 20]);
});

test('with more updates a run waits where it is, until they catch up', () => {
  const at = (update: number): number => progressOf({ update, reached: 0.5 }, 100);
  expect([20, 50, 51, 90].map(at)).toEqual([0.5, 0.5, 0.51, 0.9]);
});

const now = (seed = 1) => ({ side: 8, progress: 0, leak: 0, random: createRandom(seed) });
const two = Uint32Array.of(1, 2);
const stepsOf = ({ segments }: { segments: readonly { steps: number }[] }): number =>
  segments.reduce((sum, { steps }) => sum + steps, 0);
const withPool = (pool: object) =>
  tinyConfig({ pool: { ...TINY_POOL, size: 8, batch: 4, ...pool } }) as TrainingConfig & {
    pool: NonNullable<TrainingConfig['pool']>;
  };

describe('a plan of new organisms', () => {
  it('doubles to the side, and has a target only at its end by default', () => {
    const plan = freshPlan(tinyConfig(), two, now());
    expect(plan.segments.map(({ stage }) => stage)).toEqual([2, 4, 8]);
    expect(plan.differentiated).toBe(3);
    expect([...plan.judged].filter(([, counts]) => counts > 0)).toEqual([[2, 1]]);
  });

  it('has targets at each stage, after growth, and after the extra steps', () => {
    const config = tinyConfig({ judgeStages: 0.25, judgeGrown: 0.5, extraSteps: [4, 4] });
    const plan = freshPlan(config, two, now());
    expect(plan.segments.map(({ stage }) => stage)).toEqual([2, 4, 8, 8, 8]);
    expect(Object.fromEntries(plan.judged)).toEqual({ 1: 0.25, 2: 0.5, 4: 1 });
  });

  it('grows uniformly for a random number of steps, or for that of the update', () => {
    const config = tinyConfig({ growth: { kind: 'uniform', steps: 4 }, growthSteps: [3, 5] });
    const moment = now(2);
    const counts = new Set<number>();
    for (let i = 0; i < 60; i++) counts.add(stepsOf(freshPlan(config, two, moment)));
    expect([...counts].sort()).toEqual([3, 4, 5]);
    const chances = [0, 0.32, 0.34, 0.66, 0.67, 0.999];
    const steps = chances.map((chance) => stepsOf(freshPlan(config, two, { ...now(), chance })));
    expect(steps).toEqual([3, 3, 4, 4, 5, 5]);
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
    // The square has half the side: 4 × 4 cells of 6 numbers.
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

const WIDE = 32;
const OF_SHARE = ['disc', 'half', 'bar', 'stroke'] as const;
const lost = (mask: Uint8Array): number => mask.reduce((count, kept) => count + 1 - kept, 0);

/** Counts the pieces of a wound. Cells that touch by an edge or corner are in one piece. */
function pieces(mask: Uint8Array, side: number): number {
  const left = new Set([...mask.keys()].filter((cell) => mask[cell] === 0));
  let count = 0;
  for (const start of left) {
    count++;
    const stack = [start];
    left.delete(start);
    while (stack.length > 0) {
      const cell = stack.pop()!;
      const [x, y] = [cell % side, Math.floor(cell / side)];
      for (let v = y - 1; v <= y + 1; v++) {
        for (let u = x - 1; u <= x + 1; u++) {
          const next = v * side + u;
          if (u >= 0 && u < side && left.delete(next)) stack.push(next);
        }
      }
    }
  }
  return count;
}

describe('a random wound', () => {
  test.each(WOUND_KINDS)('%s is within its size, in one piece', (kind) => {
    const random = createRandom(3);
    const sizes = new Set<number>();
    for (let i = 0; i < 100; i++) {
      const mask = woundMask(random, WIDE, kind, 0.4);
      expect(mask).toHaveLength(WIDE * WIDE);
      const cells = lost(mask);
      sizes.add(cells);
      expect(cells).toBeGreaterThanOrEqual(Math.floor(0.02 * WIDE * WIDE));
      expect(cells).toBeLessThanOrEqual(0.4 * WIDE * WIDE);
      expect(pieces(mask, WIDE)).toBe(1);
    }
    if (kind === 'half') expect([...sizes]).toEqual([Math.floor(0.4 * WIDE * WIDE)]);
    else if (kind === 'square') expect([...sizes]).toEqual([256]);
    else expect(sizes.size).toBeGreaterThan(50);
  });

  test.each([
    [28, 14],
    [32, 16],
  ])('of side %i has the published square, everywhere that fits', (side, size) => {
    const random = createRandom(2);
    const places = new Set<number>();
    for (let i = 0; i < 500; i++) {
      const mask = woundMask(random, side, 'square');
      expect(lost(mask)).toBe(size * size);
      const first = mask.indexOf(0);
      places.add(first % side);
      for (let y = 0; y < size; y++) {
        const from = first + y * side;
        expect(mask.subarray(from, from + size).every((kept) => kept === 0)).toBe(true);
      }
    }
    expect(Math.min(...places)).toBe(0);
    expect(Math.max(...places)).toBe(side - size);
  });
});

test.each(OF_SHARE)('a wound of a share (%s) is exact and one piece', (kind) => {
  const random = createRandom(4);
  for (const share of [0, 0.1, 0.25, 0.5, 0.77, 1]) {
    for (let i = 0; i < 20; i++) {
      const mask = woundOfShare(random, WIDE, share, [kind]);
      expect(lost(mask)).toBe(Math.round(share * WIDE * WIDE));
      expect(pieces(mask, WIDE)).toBe(share === 0 ? 0 : 1);
    }
  }
});
