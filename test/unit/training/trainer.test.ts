import { createCompute } from '../../../server/autodiff/create.ts';
import type { TrainingConfig } from '../../../server/training/config.ts';
import { DataPasses, type Dataset } from '../../../server/training/data/dataset.ts';
import { leakAt } from '../../../server/training/rollout/rollout-plan.ts';
import { trainedModel } from '../../../server/training/run/export.ts';
import { loadRun, saveRun } from '../../../server/training/run/run-folder.ts';
import { firstState, LATENTS, trainedWeights } from '../../../server/training/run/run-state.ts';
import {
  type Trainer,
  trainingImages,
  type UpdateReport,
} from '../../../server/training/run/trainer.ts';
import { suiteFolder } from '../../support/closing.ts';
import { expectNear } from '../../support/compare.ts';
import { isFull } from '../../support/needs.ts';
import { calmUpdate } from '../vnca/tiny-model.ts';
import {
  MASKED,
  numbersOf,
  TINY_OPTIMISER,
  TINY_POOL,
  tinyConfig,
  tinyData,
  tinyTrainers,
  UNIFORM,
  updates,
} from './tiny-run.ts';

const folder = suiteFolder();
// Most tests use one thread, because a thread takes longer to start than its updates.
const compute = await createCompute('onnx', { threads: 1 });
const twoThreads = await createCompute('onnx', { threads: 2 });
afterAll(() => Promise.all([compute.dispose(), twoThreads.dispose()]));
const start = tinyTrainers(compute);

const ink = { readout: { kind: 'bernoulli', channel: 0 }, presence: { threshold: 0.1 } };
const DECODER = {
  growth: { kind: 'uniform', steps: 1 },
  update: { kind: 'decoder', hidden: 8, doublings: 2 },
};
const MIXTURES = {
  ...{ channels: 20, latentSize: 20, presence: { threshold: 0.1 } },
  readout: { kind: 'dmol', mixtures: 2 },
};

describe('the loss', () => {
  const losses: [string, 1 | 3 | 4, Record<string, unknown>][] = [
    ['of a pool that heals', 4, { pool: TINY_POOL }],
    ['of ink by cells that update by chance', 1, { ...UNIFORM, update: MASKED, ...ink }],
    ['of a decoder, which has no cells', 4, { channels: 4, ...DECODER }],
    ['of colours as mixtures', 3, { ...MIXTURES, update: { kind: 'res4', hidden: 8 } }],
  ];
  // likelihood.test.ts and segments.test.ts have the gradients of all of them.
  it.each(losses.slice(0, isFull ? undefined : 2))('%s falls', async (_, channels, fields) => {
    const config = tinyConfig({ updates: 80, optimiser: TINY_OPTIMISER, ...fields });
    const data = tinyData(channels);
    const trainer = await start(config, firstState(config), { data });
    const reports = await updates(trainer, 80);
    const loss = (part: typeof reports): number =>
      part.reduce((sum, x) => sum + x.reconstruction + x.divergence, 0) / part.length;
    expect(loss(reports.slice(-8))).toBeLessThan(0.7 * loss(reports.slice(0, 8)));
  });

  it('is reported by its parts', async () => {
    // An untrained rule does not change the seed, so every cell shows the latent's first number.
    const config = tinyConfig({ ...ink, beta: 0 });
    const still = new Map(firstState(config).tensors);
    for (const name of ['encoder.dense0.kernel', 'encoder.dense0.bias']) {
      const { shape, data } = still.get(`parameter:${name}`)!;
      still.set(`parameter:${name}`, { shape, data: new Float32Array(data.length) });
    }
    // With log σ = −6, only the mean, 0, remains, and every pixel costs log 2.
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

const data = tinyData();
test.each<[string, Dataset, string]>([
  ['images of other channels', tinyData(1), '1 channels, but "readout"'],
  [
    'no images to train on',
    { ...data, splits: { ...data.splits, train: new Uint32Array(0) } },
    'no images',
  ],
])('a mismatch with the configuration is refused: %s', async (_, data, text) => {
  const config = tinyConfig({ pool: TINY_POOL });
  await expect(start(config, firstState(config), { data })).rejects.toMatchObject({
    ...{ name: 'TrainingError', reason: 'bad-data' },
    message: expect.stringContaining(text),
  });
});

describe('the pool of a run', () => {
  /** Runs updates and counts the states in the pool after each. */
  async function counted(trainer: Trainer, count: number) {
    const reports: UpdateReport[] = [];
    const held: number[] = [];
    for (let i = 0; i < count; i++) {
      reports.push(await trainer.update());
      held.push((await trainer.state()).pool.length);
    }
    return { reports, held, drawn: reports.map(({ pooled }) => pooled !== undefined) };
  }

  it('is used once it holds enough, grows old, and stays bounded', async () => {
    const config = tinyConfig({ pool: { ...TINY_POOL, admit: 1, wounded: 0 }, updates: 30 });
    const { reports, held, drawn } = await counted(await start(config), 12);
    // Each update adds one state, and drawn states return.
    expect(held).toEqual([1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6, 6]);
    expect(drawn).toEqual([false, false, false, ...new Array(9).fill(true)]);
    // Organisms grow in 6 steps and take up to 3 more at each draw.
    expect(Math.max(...reports.map(({ age = 0 }) => age))).toBeGreaterThan(9);
  });

  it('is replaced by new organisms while it holds too few, and receives all of them', async () => {
    const pool = { ...TINY_POOL, size: 60, batch: 4, admit: 4, wounded: 0, steps: [4, 4] };
    const config = tinyConfig({ ...UNIFORM, pool: { ...pool, standIns: true } });
    const trainer = await start(config);
    const { held, drawn } = await counted(trainer, 3);
    // A batch has eight states. At first all are new; then half come from the pool and return to it
    // with four new ones.
    expect(drawn).toEqual([false, true, true]);
    expect(held).toEqual([8, 12, 16]);
    const { pool: entries } = await trainer.state();
    const passes = new DataPasses(trainingImages(config, tinyData()), config.seed);
    // Each update advances the passes by a whole batch. States from the pool replace its second half.
    const shown = [...passes.at(0, 8), ...passes.at(8, 4), ...passes.at(16, 4)];
    expect(entries.map(({ image }) => image).sort()).toEqual(shown.sort());
  });

  it.each([
    ['micro-batch', 4],
    ['update', 1],
  ])('is continued for a number of steps drawn for each %s', async (stepsDrawn, numbers) => {
    const config = tinyConfig({
      ...UNIFORM,
      growthSteps: [1, 64],
      pool: { ...TINY_POOL, size: 60, batch: 4, admit: 4, wounded: 0, steps: [1, 64] },
      stepsDrawn,
    });
    // No new organism reaches this age.
    const old = Array.from({ length: 6 }, (_, image) => ({
      ...{ image: image % 5, age: 1000 },
      states: new Float32Array(8 * 8 * 6),
    }));
    const trainer = await start(config, { ...firstState(config), pool: old });
    await trainer.update();
    const { pool } = await trainer.state();
    const steps = pool.map(({ age }) => age % 1000).filter((age) => age > 0);
    // Two micro-batches are new, and two are from the pool.
    expect(steps).toHaveLength(8);
    expect(new Set(steps).size).toBe(numbers);
  });

  it('shows new images by metamorphosis, in the order of the passes', async () => {
    const calm = { batch: 2, steps: [1, 1], metamorphosis: true };
    const config = tinyConfig({ pool: { ...TINY_POOL, size: 12, admit: 4, calm } });
    const trainer = await start(config);
    await updates(trainer, 3);
    const passes = new DataPasses(trainingImages(config, tinyData()), config.seed);
    // The last two of each update's six images are for states that change. The first two updates
    // have no pool.
    const wanted = [...passes.at(2 * 6 + 4, 2)];
    const { pool } = await trainer.state();
    const changed = pool.filter(({ age }) => age === 6 + 1).map(({ image }) => image);
    expect(changed).toEqual(expect.arrayContaining(wanted));
  });

  it('stores crowded states separately with their ground', async () => {
    const config = tinyConfig({
      pool: { ...TINY_POOL, crowded: { batch: 2, size: 4, renewed: 0.2, fresh: 0.5 } },
      updates: 30,
    });
    const trainer = await start(config);
    await updates(trainer, 8);
    const state = await trainer.state();
    expect(state.pool.every(({ open }) => open === undefined)).toBe(true);
    expect(state.crowd).toHaveLength(4);
    for (const { open } of state.crowd) {
      expect(open).toHaveLength(64);
      expect(open!.some((x) => x === 0)).toBe(true);
    }
    await updates(trainer, 3);
    const lived = Math.max(...(await trainer.state()).crowd.map(({ age }) => age));
    expect(lived).toBeGreaterThan(6 + 3);
  });

  it('is emptied when the curriculum moves to larger patches', async () => {
    const config = tinyConfig({ pool: TINY_POOL, curriculum: [{ side: 4, until: 0.5 }] });
    const trainer = await start(config);
    await updates(trainer, 3);
    const small = await trainer.state();
    expect(small.pool.length).toBeGreaterThan(2);
    expect(new Set(small.pool.map(({ states }) => states.length))).toEqual(new Set([4 * 4 * 6]));
    const { pooled } = await trainer.update();
    expect(pooled).toBeUndefined();
    const { pool } = await trainer.state();
    expect(pool.map(({ states }) => states.length)).toEqual([8 * 8 * 6, 8 * 8 * 6]);
  });
});

const residual = { kind: 'residual', hidden: 5, leak: 0.5, standingInput: true };
const big = { ...TINY_POOL, size: 12, admit: 4 };
const fieldsOf: Readonly<Record<string, Record<string, unknown>>> = {
  'doubling, with pool, wounds, curriculum and stages judged': {
    ...{ pool: TINY_POOL, optimiser: TINY_OPTIMISER, curriculum: [{ side: 4, until: 0.5 }] },
    ...{ judgeGrown: 0.5, judgeStages: 0.5, extraSteps: [0, 3] },
    augment: { flip: true, shift: 1 },
  },
  'uniform, with pool, wounds, and cells that update by chance': {
    ...{ ...UNIFORM, growthSteps: [3, 6], update: MASKED, optimiser: TINY_OPTIMISER },
    pool: { ...TINY_POOL, divergence: 'all', gradientSteps: 2 },
  },
  'uniform, as published: whole batches, and one number of steps for each': {
    ...{ ...UNIFORM, growthSteps: [3, 6], stepsDrawn: 'update' },
    pool: { ...TINY_POOL, admit: 4, batch: 4, standIns: true, steps: [3, 6], divergence: 'all' },
  },
  'with a genome in every layer': {
    ...{ update: { ...residual, genome: { hidden: 4 } }, pool: TINY_POOL },
  },
  'with places to learn, a leak that rises, and a pool most of which is calm': {
    ...{ channels: 8, latentSize: 10, update: { ...calmUpdate(5), activation: 'relu' } },
    ...{ places: { channel: 4, octaves: 1, weight: 0.3 }, leakRamp: [0.1, 0.9], judgeStages: 0.25 },
    pool: { ...big, calm: { batch: 4, steps: [1, 2] }, divergence: 'all' },
  },
  'with wounds that close from their rim, on crowded ground too, and pictures of many looks': {
    ...{ closing: 1, gallery: 2, galleryTimes: 3, galleryOffsets: {}, judgeGrown: 0.5 },
    augment: { flip: true, shift: 1, shrink: 0.3, recolour: 0.5, lines: 0.3, untouched: 0.2 },
    pool: {
      ...{ ...big, calm: { batch: 2, steps: [1, 2], rest: 1 }, crowded: { batch: 2 } },
      patients: { batch: 4, steps: [2, 5], shifted: 0.2, strangers: 0.2, crowded: 0.5 },
    },
  },
};
// In short, the last two, which have most kinds of updates, and the first.
const runs = Object.entries(fieldsOf)
  .filter((_, i) => isFull || i === 0 || i > 3)
  .map(([name, fields]): [string, TrainingConfig] => [name, tinyConfig(fields)]);

/** Saves the state of a run and loads it again. */
async function stored(trainer: Trainer, config: TrainingConfig, further = config) {
  await saveRun(folder, { state: await trainer.state(), seconds: 12 }, config);
  return (await loadRun(folder, further)).state;
}

describe.each(runs)('a run %s', (_, config) => {
  it('continues after saving and loading as if it had not stopped', async () => {
    const whole = await start(config);
    const reports = await updates(whole, 6);

    const first = await start(config);
    const before = await updates(first, 3);
    const state = await stored(first, config);
    const second = await start(config, state);
    const after = await updates(second, 3);

    // Both halves must draw from the pool, or the test shows nothing.
    expect(before.some(({ pooled }) => pooled !== undefined)).toBe(true);
    expect(after.some(({ pooled }) => pooled !== undefined)).toBe(true);
    expect([...before, ...after]).toEqual(reports);
    expect(numbersOf(await second.state())).toEqual(numbersOf(await whole.state()));
  });

  // Reduced tests use only the last run, which has most kinds of updates.
  const onTwo = isFull || config === runs.at(-1)![1] ? it : () => {};
  onTwo('is the same on one worker and on two', async () => {
    expect([compute.workers, twoThreads.workers]).toEqual([1, 2]);
    const slow = await start(config);
    const fast = await start(config, firstState(config), { on: twoThreads });
    expect(await updates(slow, 4)).toEqual(await updates(fast, 4));
    expect(numbersOf(await slow.state())).toEqual(numbersOf(await fast.state()));
  });
});

test('a run that goes on with more updates keeps its patches, its pool and its leak', async () => {
  const config = tinyConfig({
    ...{ updates: 6, pool: TINY_POOL, curriculum: [{ side: 4, until: 0.5 }] },
    ...{ update: { kind: 'residual', hidden: 5, leak: 0.5 }, leakRamp: [0, 0.5] },
  });
  const more = { ...config, updates: 60 };
  const first = await start(config);
  await updates(first, 5);
  const second = await start(more, await stored(first, config, more));
  expect(leakAt(more, second.progress)).toBe(0.5);
  const [{ pooled }] = await updates(second, 1);
  expect(pooled).toBeDefined();
  const { pool } = await second.state();
  expect(new Set(pool.map(({ states }) => states.length))).toEqual(new Set([8 * 8 * 6]));
  expect(pool.some(({ age }) => age > 6)).toBe(true);
});

test('offsets of the gallery are added to its latents', async () => {
  const config = tinyConfig({ gallery: 2, pool: TINY_POOL, galleryOffsets: { rate: 10 } });
  const { galleryOffsets: _, ...without } = config;
  const trainer = await start(config);
  await updates(trainer, 1);
  // The first step is as long as ten times the rate.
  const moved = (await trainer.state()).tensors.get('parameter:gallery.offsets')!.data;
  expect(Math.max(...moved.map(Math.abs)) / (10 * config.optimiser.learningRate)).toBeCloseTo(1, 2);
  await updates(trainer, 2);
  const after = await trainer.state();
  const offsets = after.tensors.get('parameter:gallery.offsets')!;
  expect(offsets.shape).toEqual([2, 6]);
  expect(offsets.data.every((offset) => offset !== 0)).toBe(true);
  const latentsOf = async (of: TrainingConfig): Promise<Float32Array> => {
    const weights = trainedWeights(of, after);
    const { tensors } = await trainedModel(compute, { config: of, data, weights });
    return tensors.get(LATENTS)!.data;
  };
  const expected = (await latentsOf(without)).map((mean, i) => mean + offsets.data[i]);
  expectNear(await latentsOf(config), expected, 1e-6);
});
