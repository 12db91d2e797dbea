/** What a trainer learns, reports, refuses and leaves behind. */
import * as tf from '@tensorflow/tfjs-core';
import { createCompute } from '../../../server/autodiff/create.ts';
import type { Dataset } from '../../../server/training/data/dataset.ts';
import { firstState } from '../../../server/training/run/run-state.ts';
import { createTfjsCpuCompute } from '../../support/tfjs-cpu.ts';
import {
  MASKED,
  numbersOf,
  TINY_OPTIMISER,
  TINY_POOL,
  tinyConfig,
  tinyData,
  UNIFORM,
  updates,
} from './tiny-run.ts';
import { tinyTrainers } from './tiny-trainer.ts';

// Each thread takes longer to start than its updates take.
const compute = await createCompute('onnx', { threads: 1 });
const twoThreads = await createCompute('onnx', { threads: 2 });
afterAll(() => Promise.all([compute.dispose(), twoThreads.dispose()]));
const start = tinyTrainers(compute);

const ink = { readout: { kind: 'bernoulli', channel: 0 }, presence: { threshold: 0.1 } };

describe('the loss', () => {
  it.each([
    [
      'of a pool that heals',
      tinyConfig({ updates: 80, pool: TINY_POOL, optimiser: TINY_OPTIMISER }),
      tinyData(),
    ],
    [
      'of ink by cells that update by chance',
      tinyConfig({
        updates: 80,
        ...UNIFORM,
        update: MASKED,
        ...ink,
        optimiser: TINY_OPTIMISER,
      }),
      tinyData(1),
    ],
    [
      'of a decoder, which has no cells',
      tinyConfig({
        updates: 80,
        channels: 4,
        growth: { kind: 'uniform', steps: 1 },
        update: { kind: 'decoder', hidden: 8, doublings: 2 },
        optimiser: TINY_OPTIMISER,
      }),
      tinyData(),
    ],
    [
      'of colours as mixtures',
      tinyConfig({
        updates: 80,
        channels: 20,
        latentSize: 20,
        update: { kind: 'res4', hidden: 8 },
        readout: { kind: 'dmol', mixtures: 2 },
        presence: { threshold: 0.1 },
        optimiser: TINY_OPTIMISER,
      }),
      tinyData(3),
    ],
  ])('%s falls', async (_, config, data) => {
    const trainer = await start(config, firstState(config), { data });
    const reports = await updates(trainer, 80);
    const loss = (part: typeof reports): number =>
      part.reduce((sum, x) => sum + x.reconstruction + x.divergence, 0) / part.length;
    expect(loss(reports.slice(-8))).toBeLessThan(0.7 * loss(reports.slice(0, 8)));
  });

  it('is reported by its parts', async () => {
    // An untrained rule leaves the seed as it is, so what is shown is the latent's first number in
    // every cell.
    const config = tinyConfig({ ...ink, beta: 0 });
    const still = new Map(firstState(config).tensors);
    for (const name of ['encoder.dense0.kernel', 'encoder.dense0.bias']) {
      const { shape, data } = still.get(`parameter:${name}`)!;
      still.set(`parameter:${name}`, { shape, data: new Float32Array(data.length) });
    }
    // log σ = −6: nothing but the mean, 0, is left, and every pixel costs log 2.
    const bias = still.get('parameter:encoder.dense0.bias')!.data;
    bias.fill(-6, 6);
    const trainer = await start(
      config,
      { ...firstState(config), tensors: still },
      { data: tinyData(1) },
    );
    const { reconstruction, divergence } = await trainer.update();
    expect(Math.abs(reconstruction - 64 * Math.LN2)).toBeLessThan(0.3);
    expect(divergence).toBeCloseTo(6 * 0.5 * (Math.exp(-12) - 1 + 12), 3);
  });
});

it('trains on the validation split too if configured', async () => {
  const config = tinyConfig({ pool: { ...TINY_POOL, size: 60, batch: 2, admit: 4 } });
  const seen = async (trainOnValidation: boolean): Promise<number[]> => {
    const trainer = await start({ ...config, trainOnValidation });
    await updates(trainer, 6);
    const { pool } = await trainer.state();
    return [...new Set(pool.map(({ image }) => image))].sort();
  };
  expect(await seen(false)).toEqual([0, 1, 2, 3, 4]);
  expect(await seen(true)).toEqual([0, 1, 2, 3, 4, 5]);
});

test('a gradient that is not finite changes nothing', async () => {
  const config = tinyConfig({ pool: TINY_POOL });
  const trainer = await start(config);
  await updates(trainer, 4);
  const state = await trainer.state();
  const kernel = state.tensors.get('parameter:update.out.kernel')!;
  kernel.data[3] = Number.NaN;
  const broken = await start(config, state, { on: twoThreads });
  const before = numbersOf(await broken.state());
  expect(before.pool.length).toBeGreaterThan(2);
  await expect(broken.update()).rejects.toMatchObject({
    name: 'TrainingError',
    reason: 'not-finite',
    message: expect.stringContaining('update 5'),
  });
  expect(broken.updates).toBe(4);
  expect(numbersOf(await broken.state())).toEqual(before);
});

const data = tinyData();
test.each<[string, Dataset, string, string]>([
  ['images of another side', { ...data, side: 16 }, 'bad-data', '16×16, but "side"'],
  ['images of other channels', tinyData(1), 'bad-data', '1 channels, but "readout"'],
  [
    'no images to train on',
    { ...data, splits: { ...data.splits, train: new Uint32Array(0) } },
    'bad-data',
    'no images',
  ],
  ["a pool of another set's images", { ...data, count: 5 }, 'bad-run', 'image 5'],
])('a mismatch with the configuration is refused: %s', async (_, data, reason, text) => {
  const config = tinyConfig({ pool: TINY_POOL });
  const entry = { image: 5, age: 1, states: new Float32Array(8 * 8 * 6) };
  await expect(
    start(config, { ...firstState(config), pool: [entry] }, { data }),
  ).rejects.toMatchObject({
    name: 'TrainingError',
    reason,
    message: expect.stringContaining(text),
  });
});

test('an update on TensorFlow.js leaves no values behind', async () => {
  const tfjs = await createTfjsCpuCompute();
  const config = tinyConfig({
    update: { ...MASKED, kind: 'residual' },
    pool: { ...TINY_POOL, steps: [2, 2], gradientSteps: 1 },
    segmentSteps: 1,
    judgeStages: 0.5,
    judgeGrown: 0.5,
    extraSteps: [1, 1],
  });
  const trainer = await start(config, firstState(config), { on: tfjs });
  // Programs are compiled when first needed, and keep their constants.
  await updates(trainer, 3);
  const before = tf.memory().numTensors;
  const [last] = await updates(trainer, 1);
  expect(last.pooled).toBeDefined();
  expect(tf.memory().numTensors).toBe(before);

  await trainer.means(Uint32Array.of(0, 1, 2));
  expect(tf.memory().numTensors).toBe(before);
});
