/** Tests the shipped configurations: the published ones must match the publication. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readConfig, readJson } from '../../../server/training/config.ts';
import { isPainterConfig, parsePainterConfig } from '../../../server/training/painter/graph.ts';
import { trainedShapes } from '../../../server/training/run/run-state.ts';
import { macPerCellStep, updateShapes } from '../../../server/vnca/architecture.ts';
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
