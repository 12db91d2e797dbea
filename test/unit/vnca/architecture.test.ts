/** What a net costs, how patches grow and divide, and which cells take part in a step. */
import {
  countParameters,
  divide,
  firstStage,
  growthSchedule,
  macPerCellStep,
  seedState,
  updateShapes,
} from '../../../server/vnca/architecture.ts';
import { randomOfState } from '../../../server/vnca/scalar-rule.ts';
import { createRandom } from '../../../shared/random.ts';
import { tinyCard } from './tiny-model.ts';

const residual = (standingInput: boolean) =>
  tinyCard({
    channels: 48,
    latentSize: 48,
    update: { kind: 'residual', hidden: 72, standingInput },
  });

// The counts of published nets are tested with the configurations that train them.
test('a standing input costs parameters, and nothing per cell', () => {
  const [plain, standing] = [residual(false), residual(true)];
  expect(updateShapes(standing).get('update.genome.kernel')).toEqual([48, 72]);
  expect(countParameters(plain)).toBe(39_936);
  expect(countParameters(standing)).toBe(39_936 + 48 * 72);
  expect([macPerCellStep(plain), macPerCellStep(standing)]).toEqual([39_744, 39_744]);
});

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

test('equal states draw the same mask, and the smallest change draws another', () => {
  const state = createRandom(2).latent(96);
  const draws = (values: Float32Array): number[] => {
    const random = randomOfState(values);
    return Array.from({ length: 8 }, () => random.integer(1000));
  };
  const batch = new Float32Array(200);
  batch.set(state, 50);
  expect(draws(batch.subarray(50, 146))).toEqual(draws(state));
  for (const i of [0, 40, 95]) {
    const other = state.slice();
    other[i] *= 1 + 2 ** -23;
    expect(draws(other)).not.toEqual(draws(state));
  }
});
