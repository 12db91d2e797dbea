import { drawnAt } from '../../../server/training/config-fields.ts';
import {
  leakAt,
  pointOf,
  progressOf,
  rateAt,
  sideAt,
} from '../../../server/training/rollout/rollout-plan.ts';
import { tinyConfig } from './tiny-run.ts';

const { optimiser } = tinyConfig();

describe('the learning rate', () => {
  it('is constant by default', () => {
    for (const update of [1, 50, 100]) expect(rateAt(optimiser, update, 100)).toBe(1e-4);
  });

  it('rises over the warm-up, stays, and falls over the last share', () => {
    const shape = { ...optimiser, learningRate: 1, warmup: 10, decay: 0.5, finalRate: 0.1 };
    const rate = (update: number): number => rateAt(shape, update, 100);
    expect([rate(1), rate(5), rate(10), rate(50)]).toEqual([0.1, 0.5, 1, 1]);
    expect(rate(75)).toBeCloseTo(0.55, 10);
    expect(rate(100)).toBeCloseTo(0.1, 10);
    // A run that is drawn out stays at the last rate.
    expect(rate(120)).toBeCloseTo(0.1, 10);
  });
});

test('patches grow with the curriculum', () => {
  const config = {
    side: 32,
    curriculum: [
      { side: 8, until: 0.2 },
      { side: 16, until: 0.5 },
    ],
  };
  expect([0, 0.19, 0.2, 0.49, 0.5, 1].map((at) => sideAt(config, at))).toEqual([
    8, 8, 16, 16, 32, 32,
  ]);
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
