import { chance } from '../../../server/world/room-rules.ts';

const COUNT = 20_000;

test('chances are the same for the same names, and spread evenly whatever changes', () => {
  expect(chance(5, 7, 9)).toBe(chance(5, 7, 9));
  const series: readonly ((i: number) => number)[] = [
    (i) => chance(i, 1, 1),
    (i) => chance(1, i, 1),
    (i) => chance(1, 1, i),
    (i) => chance(0xffffffff - i, i, 1_000_000_000 + 45 * i),
  ];
  for (const at of series) {
    const buckets = new Array<number>(16).fill(0);
    let repeats = 0;
    const outside: number[] = [];
    for (let i = 0; i < COUNT; i++) {
      const value = at(i);
      if (!(value >= 0 && value < 1)) outside.push(value);
      buckets[Math.floor(16 * value)]++;
      if (Math.floor(16 * value) === Math.floor(16 * at(i + 1))) repeats++;
    }
    expect(outside).toEqual([]);
    // Six standard deviations of a fair draw.
    const expected = COUNT / 16;
    for (const count of [...buckets, repeats]) {
      expect(Math.abs(count - expected)).toBeLessThan(6 * Math.sqrt(expected));
    }
  }
});

test('chances of one organism tell nothing of those of another', () => {
  let both = 0;
  for (let tick = 0; tick < COUNT; tick++) {
    if (chance(3, 1, tick) < 0.5 === chance(3, 2, tick) < 0.5) both++;
  }
  expect(Math.abs(both - COUNT / 2)).toBeLessThan(6 * Math.sqrt(COUNT / 4));
});
