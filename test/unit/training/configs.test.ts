/** Tests the shipped configurations: the published ones must match the publication. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readConfig, readJson } from '../../../server/training/config.ts';
import { isPainterConfig, parsePainterConfig } from '../../../server/training/painter/graph.ts';
import { pooledPlan } from '../../../server/training/rollout/rollout-plan.ts';
import { trainedShapes } from '../../../server/training/run/run-state.ts';
import { macPerCellStep, updateShapes } from '../../../server/vnca/architecture.ts';
import { createRandom } from '../../../shared/random.ts';
import { countNumbers } from './tiny-run.ts';

const FOLDER = fileURLToPath(new URL('../../../server/training/configs', import.meta.url));
const read = (name: string) => readConfig(join(FOLDER, `${name}.json`));

const all = (await readdir(FOLDER)).filter((name) => name.endsWith('.json'));
const isOfPainter = (name: string): boolean => name.startsWith('painter');
const files = all.filter((name) => !isOfPainter(name));

test.each(all.filter(isOfPainter))("%s is valid, a painter's, and no rule's", async (file) => {
  const value = await readJson(join(FOLDER, file));
  expect(isPainterConfig(value)).toBe(true);
  expect(`${parsePainterConfig(value, file).name}.json`).toBe(file);
  await expect(readConfig(join(FOLDER, file))).rejects.toMatchObject({ reason: 'bad-config' });
});

test.each(files)('%s is valid, and named like its file', async (file) => {
  const config = await readConfig(join(FOLDER, file));
  expect(`${config.name}.json`).toBe(file);
  expect(config.description).not.toBe('');
});

/**
 * Numbers of parameters, derived from Palm et al. 2022 and its code; the totals for MNIST are as
 * reproduced.
 */
const PUBLISHED = [
  ['mnist-doubling', 5_402_880, 1_182_208, 6_585_088],
  ['mnist-damage', 4_878_336, 163_968, 5_042_304],
  ['noto', 8_550_208, 1_182_208, 9_732_416],
] as const;

test.each(PUBLISHED)(
  '%s has as many parameters as published',
  async (name, encoder, rule, total) => {
    const config = await read(name);
    expect(config.description).toContain('arXiv 2201.12360');
    expect(countNumbers(updateShapes(config))).toBe(rule);
    expect(countNumbers(trainedShapes(config))).toBe(total);
    expect(total).toBe(encoder + rule);
  },
);

test('mnist-baseline has as many parameters and multiply-adds as published', async () => {
  const config = await read('mnist-baseline');
  expect(countNumbers(updateShapes(config))).toBe(4_879_617);
  expect(countNumbers(trainedShapes(config))).toBe(10_282_497);
  // Four convolutions of 13 million multiply-adds each, one of 0.8, and a dense layer of 0.5.
  expect(macPerCellStep(config) * 32 ** 2).toBe(4 * 13_107_200 + 819_200 + 524_288);
});

test('mnist-damage draws 64 states and wounds 32 of them with squares of 14', async () => {
  const [drawn, wounded, size] = [64, 32, 14];
  const { pool, ...rest } = await read('mnist-damage');
  const { side, channels, batch } = rest;
  if (!pool) throw new Error('there is no pool');
  expect(pool).toMatchObject({ size: 1024, batch: drawn, admit: batch.fresh, divergence: 'all' });
  // A batch has one number of steps and is complete from the first update on.
  expect(pool.standIns).toBe(true);
  expect(rest.stepsDrawn).toBe('update');
  expect(batch.fresh).toBe(drawn);
  expect(pool).not.toHaveProperty('gradientSteps');
  expect(pool.steps).toEqual(rest.growthSteps);
  const states = new Float32Array(side * side * channels).fill(1);
  const entries = Array.from({ length: drawn }, (_, image) => ({ image, age: 0, states }));
  const now = { side, progress: 0, leak: 0, random: createRandom(1) };
  const further = { steps: pool.steps, wounded: pool.wounded * drawn };
  const plan = pooledPlan({ ...rest, pool }, entries, further, now);
  const lost = entries.map((_, i) => {
    const own = plan.states!.subarray(i * states.length, (i + 1) * states.length);
    return own.reduce((sum, x) => sum + (x === 0 ? 1 : 0), 0) / channels;
  });
  expect(lost).toEqual([
    ...new Array(wounded).fill(size ** 2),
    ...new Array(drawn - wounded).fill(0),
  ]);
  expect(plan.divergence).toBe(1);
});

test.each(['digits', 'digits-heal'])('%s is small enough for a room', async (name) => {
  const config = await read(name);
  expect(macPerCellStep(config)).toBeLessThan(20_000);
  expect(config.data.kind).toBe('mnist');
});
