/** Runs that stop and continue, and runs on one worker and on two: all come to the same. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCompute } from '../../../server/autodiff/create.ts';
import type { TrainingConfig } from '../../../server/training/config.ts';
import { growthSegments, stayingSegments } from '../../../server/training/model/segments.ts';
import { leakAt } from '../../../server/training/rollout/rollout-plan.ts';
import { loadRun, STATE_FILE, saveRun } from '../../../server/training/run/run-folder.ts';
import { compactState, firstState } from '../../../server/training/run/run-state.ts';
import type { Trainer } from '../../../server/training/run/trainer.ts';
import { parseSafetensors, writeSafetensors } from '../../../server/vnca/checkpoint.ts';
import { float32Of } from '../../../shared/safetensors.ts';
import { temporaryFolder } from '../../support/closing.ts';
import { expectNear } from '../../support/compare.ts';
import { isFull } from '../../support/needs.ts';
import { calmUpdate } from '../vnca/tiny-model.ts';
import {
  hexOf,
  MASKED,
  numbersOf,
  TINY_OPTIMISER,
  TINY_POOL,
  tinyConfig,
  tinyTrainers,
  UNIFORM,
  updates,
} from './tiny-run.ts';

const folder = temporaryFolder();
// Each thread takes longer to start than its updates take.
const compute = await createCompute('onnx', { threads: 1 });
const twoThreads = await createCompute('onnx', { threads: 2 });
afterAll(() => Promise.all([compute.dispose(), twoThreads.dispose()]));
const start = tinyTrainers(compute);

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
const runs = Object.entries(fieldsOf).map(([name, fields]): [string, TrainingConfig] => [
  name,
  tinyConfig(fields),
]);

describe.each(runs)('a run %s', (_, config) => {
  it('continues after saving and loading as if it had not stopped', async () => {
    const whole = await start(config);
    const reports = await updates(whole, 6);

    const first = await start(config);
    const before = await updates(first, 3);
    await saveRun(folder(), { state: await first.state(), seconds: 12 }, config);
    const { state, seconds } = await loadRun(folder(), config);
    expect(seconds).toBe(12);
    const second = await start(config, state);
    const after = await updates(second, 3);

    // Both halves draw from the pool, or nothing of it is shown.
    expect(before.some(({ pooled }) => pooled !== undefined)).toBe(true);
    expect(after.some(({ pooled }) => pooled !== undefined)).toBe(true);
    expect([...before, ...after]).toEqual(reports);
    expect(numbersOf(await second.state())).toEqual(numbersOf(await whole.state()));
  });

  // Of short runs, the first and the last are, which have most of all kinds of updates.
  const onTwo = isFull || [runs[0][1], runs[5][1]].includes(config) ? it : () => {};
  onTwo('is the same on one worker and on two', async () => {
    expect([compute.workers, twoThreads.workers]).toEqual([1, 2]);
    const slow = await start(config);
    const fast = await start(config, firstState(config), { on: twoThreads });
    expect(await updates(slow, 4)).toEqual(await updates(fast, 4));
    expect(numbersOf(await slow.state())).toEqual(numbersOf(await fast.state()));

    const growth = growthSegments(config, config.segmentSteps);
    const shown = async (trainer: Trainer): Promise<string[]> => {
      const means = await trainer.means(Uint32Array.of(0, 1, 2, 3, 4));
      const states = await trainer.run(means, growth);
      const aged = await trainer.run(means, stayingSegments(config, 3, 2), states);
      return [means, states, aged].map(hexOf);
    };
    const pictured = await shown(slow);
    expect(pictured).toEqual(await shown(fast));
    expect(pictured[2]).not.toBe(pictured[1]);
  });
});

test('a run saved without its pool goes on, and fills the pool again', async () => {
  const config = tinyConfig({ pool: TINY_POOL });
  const first = await start(config);
  await updates(first, 6);
  const state = compactState(await first.state());
  await saveRun(folder(), { state, seconds: 12 }, config);
  const loaded = await loadRun(folder(), config);
  expect(loaded.state.pool).toEqual([]);
  const second = await start(config, loaded.state);
  const reports = await updates(second, 6);
  expect(reports.map(({ update }) => update)).toEqual([7, 8, 9, 10, 11, 12]);
  expect(reports[0].pooled).toBeUndefined();
  expect(reports.at(-1)!.pooled).toBeDefined();
});

describe('a run that goes on with more updates', () => {
  const config = tinyConfig({
    ...{ updates: 6, pool: TINY_POOL, curriculum: [{ side: 4, until: 0.5 }] },
    ...{ update: { kind: 'residual', hidden: 5, leak: 0.5 }, leakRamp: [0, 0.5] },
  });
  const more = { ...config, updates: 60 };

  it.each([
    ['keeps', (metadata: object) => metadata],
    [
      'saved by an older release, keeps',
      ({ reached: _, ...older }: Record<string, string>) => older,
    ],
  ])('%s the size of its patches, its pool and its leak', async (_, stored) => {
    const first = await start(config);
    await updates(first, 5);
    await saveRun(folder(), { state: await first.state(), seconds: 12 }, config);
    const file = join(folder(), STATE_FILE);
    const { metadata, ...content } = parseSafetensors(await readFile(file), file);
    const tensors = float32Of({ ...content, metadata });
    await writeFile(file, writeSafetensors(tensors, { ...stored(metadata) }));

    const { state } = await loadRun(folder(), more);
    const second = await start(more, state);
    expect(leakAt(more, second.progress)).toBe(0.5);
    const [{ pooled }] = await updates(second, 1);
    expect(pooled).toBeDefined();
    const { pool } = await second.state();
    expect(new Set(pool.map(({ states }) => states.length))).toEqual(new Set([8 * 8 * 6]));
    expect(pool.some(({ age }) => age > 6)).toBe(true);
  });
});

test('a run may begin to train offsets of its gallery, which change what no other image is', async () => {
  const config = tinyConfig({ gallery: 2, pool: TINY_POOL });
  const first = await start(config);
  await updates(first, 2);
  await saveRun(folder(), { state: await first.state(), seconds: 12 }, config);
  const further = { ...config, galleryOffsets: { rate: 10 } };
  const { state } = await loadRun(folder(), further);
  const second = await start(further, state);
  const images = Uint32Array.of(0, 1, 2, 3);
  expect(await second.means(images)).toEqual(await first.means(images));
  await updates(second, 1);
  // Their first step is as long as that of a run that begins: the rate, times ten.
  const moved = (await second.state()).tensors.get('parameter:gallery.offsets')!.data;
  expect(Math.max(...moved.map(Math.abs)) / (10 * config.optimiser.learningRate)).toBeCloseTo(1, 2);
  await saveRun(folder(), { state: await second.state(), seconds: 13 }, further);
  const third = await start(further, (await loadRun(folder(), further)).state);
  await updates(second, 2);
  await updates(third, 2);
  expect(numbersOf(await third.state())).toEqual(numbersOf(await second.state()));

  const after = await second.state();
  const offsets = after.tensors.get('parameter:gallery.offsets')!;
  expect(offsets.shape).toEqual([2, 6]);
  expect(offsets.data.every((offset) => offset !== 0)).toBe(true);
  const withoutThem = await start(config, after);
  const [shown, encoded] = [await second.means(images), await withoutThem.means(images)];
  const expected = encoded.map((mean, i) => mean + (offsets.data[i] ?? 0));
  expectNear(shown, expected, 1e-6);
});
