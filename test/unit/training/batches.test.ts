import { DataPasses, passImages } from '../../../server/training/data/dataset.ts';
import { randomOfUpdate } from '../../../server/training/run/run-state.ts';

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
    expect([...passes.at(from, 4)]).toEqual(whole.slice(from, from + 4));
    expect([...new DataPasses(INDICES, 1).at(from, 4)]).toEqual(whole.slice(from, from + 4));
  }
});

it('depends on the seed', () => {
  expect([...new DataPasses(INDICES, 1).at(0, 14)]).not.toEqual([
    ...new DataPasses(INDICES, 2).at(0, 14),
  ]);
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
