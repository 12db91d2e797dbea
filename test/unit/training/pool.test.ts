import { Pool, type PoolEntry } from '../../../server/training/pool.ts';
import { createRandom } from '../../../shared/random.ts';

const entry = (image: number, size = 2): PoolEntry => ({
  image,
  states: new Float32Array(size).fill(image),
  age: 0,
});
const entries = (from: number, to: number): PoolEntry[] =>
  Array.from({ length: to - from }, (_, i) => entry(from + i));
const images = (of: Iterable<PoolEntry>): number[] =>
  [...of].map(({ image }) => image).sort((a, b) => a - b);
const counting = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

it('removes drawn entries, and adds others', () => {
  const pool = new Pool(8, entries(0, 6));
  const taken = pool.take(4, createRandom(1));
  expect(new Set(images(taken)).size).toBe(4);
  expect(pool.count).toBe(2);
  expect(images([...taken, ...pool.all()])).toEqual(counting(6));
  pool.add(taken, createRandom(2));
  expect(images(pool.all())).toEqual(counting(6));
});

it('draws entries with equal probability', () => {
  const random = createRandom(3);
  const taken = new Array(5).fill(0);
  for (let i = 0; i < 2000; i++) {
    const pool = new Pool(5, entries(0, 5));
    for (const { image } of pool.take(2, random)) taken[image]++;
  }
  for (const times of taken) expect(Math.abs(times - 800)).toBeLessThan(100);
});

it('refuses to draw more than it holds', () => {
  const pool = new Pool(8, entries(0, 3));
  expect(() => pool.take(4, createRandom(1))).toThrow('pool holds 3 states, not 4');
  expect(pool.count).toBe(3);
});

it('drops random entries above its size, old and new', () => {
  const random = createRandom(4);
  const stayed = new Array(12).fill(0);
  for (let i = 0; i < 3000; i++) {
    const pool = new Pool(8, entries(0, 8));
    pool.add(entries(8, 12), random);
    expect(pool.count).toBe(8);
    for (const { image } of pool.all()) stayed[image]++;
  }
  for (const times of stayed) expect(Math.abs(times - 2000)).toBeLessThan(150);
});

it('shrinks when a run resumes with a smaller size, and drops what does not fit', () => {
  const smaller = new Pool(3, entries(0, 9));
  smaller.add([], createRandom(5));
  expect(smaller.count).toBe(3);
  const pool = new Pool(8, [...entries(0, 3), entry(3, 8), entry(4, 8)]);
  pool.keep(({ states }) => states.length === 8);
  expect(images(pool.all())).toEqual([3, 4]);
});
