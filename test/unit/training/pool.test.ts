import { type PoolEntry, Pools } from '../../../server/training/rollout/pools.ts';
import { createRandom } from '../../../shared/random.ts';

const entry = (image: number, size = 2): PoolEntry => ({
  image,
  states: new Float32Array(size).fill(image),
  age: 0,
});
/** A pool of states on free ground. */
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

it('draws entries with equal probability', () => {
  const random = createRandom(3);
  const taken = new Array(5).fill(0);
  for (let i = 0; i < 2000; i++) {
    const pool = poolOf(5, entries(0, 5));
    for (const { image } of pool.take('pool', 2, random)) taken[image]++;
  }
  for (const times of taken) expect(Math.abs(times - 800)).toBeLessThan(100);
});

it('refuses to draw more than it holds', () => {
  const pool = poolOf(8, entries(0, 3));
  expect(() => pool.take('pool', 4, createRandom(1))).toThrow('pool holds 3 states, not 4');
  expect(pool.count('pool')).toBe(3);
});

it('drops random entries above its size, old and new', () => {
  const random = createRandom(4);
  const stayed = new Array(12).fill(0);
  for (let i = 0; i < 3000; i++) {
    const pool = poolOf(8, entries(0, 8));
    pool.add(entries(8, 12), random);
    expect(pool.count('pool')).toBe(8);
    for (const { image } of pool.all().pool) stayed[image]++;
  }
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
