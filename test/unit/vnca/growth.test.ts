import {
  divide,
  divideInto,
  firstStage,
  growthSchedule,
  seedState,
} from '../../../server/vnca/architecture.ts';

const doubling = {
  side: 32,
  growth: { kind: 'doubling' as const, seedSide: 2, stepsPerStage: 8 },
};
const uniform = { side: 28, growth: { kind: 'uniform' as const, steps: 36 } };

test('growth by doubling starts at the seed, and cells divide before each later stage', () => {
  expect(firstStage(doubling)).toBe(2);
  expect(growthSchedule({ ...doubling, side: 64 })).toHaveLength(48);
  const schedule = growthSchedule(doubling);
  const divisions = schedule.flatMap(({ divide }, i) => (divide ? [i] : []));
  expect(divisions).toEqual([8, 16, 24, 32]);
  expect(schedule.map(({ stage }) => stage)).toEqual(
    [2, 4, 8, 16, 32].flatMap((stage) => new Array(8).fill(stage)),
  );
});

test('uniform growth has its full side from the first and never divides', () => {
  expect(firstStage(uniform)).toBe(28);
  expect(growthSchedule(uniform)).toEqual(new Array(36).fill({ divide: false, stage: 28 }));
});

test('a seed has the latent in every cell', () => {
  const latent = Float32Array.of(1, 2, 3);
  expect([...seedState(latent, 2, 3)]).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
  // A cell holds the first of a longer latent.
  expect([...seedState(latent, 2, 2)]).toEqual([1, 2, 1, 2, 1, 2, 1, 2]);
});

test('cells divide into blocks of copies, with all channels', () => {
  const state = Float32Array.of(1, 2, 3, 4);
  expect([...divide(state, 1)]).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
  expect([...divide(Float32Array.of(5, 6), 2)]).toEqual([5, 6, 5, 6, 5, 6, 5, 6]);
});

test('division writes only its own part of a batch', () => {
  const batch = new Float32Array(12).fill(9);
  divideInto(batch, 4, Float32Array.of(7), 1);
  expect([...batch]).toEqual([9, 9, 9, 9, 7, 7, 7, 7, 9, 9, 9, 9]);
});
