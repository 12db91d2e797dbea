import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMPUTE_NAMES } from '../../../server/autodiff/compute.ts';
import { commandOf, type Options, readOptions } from '../../../server/training/command.ts';
import {
  changedField,
  parseConfig,
  readConfig,
  readJson,
  withBatch,
  withImages,
} from '../../../server/training/config.ts';
import { isPainterConfig, parsePainterConfig } from '../../../server/training/painter/config.ts';
import { trainedShapes } from '../../../server/training/run/run-state.ts';
import { macPerCellStep, updateShapes } from '../../../server/vnca/architecture.ts';
import { temporaryFolder } from '../../support/closing.ts';
import { countNumbers, TINY_POOL, tinyConfig, tinyConfigJson } from './tiny-run.ts';

const folder = temporaryFolder();

const pool = (fields: object) => ({ pool: { ...TINY_POOL, ...fields } });
const uniform = { growth: { kind: 'uniform', steps: 4 } };
const ink = { readout: { kind: 'bernoulli', channel: 0 } };
const decoder = {
  channels: 4,
  growth: { kind: 'uniform', steps: 1 },
  update: { kind: 'decoder', hidden: 8, doublings: 2 },
};

// The tests of model cards cover fields that cards have too.
test.each<[string, Record<string, unknown>]>([
  ['update.genome', { update: { kind: 'residual', hidden: 4, genome: { hidden: 3 } } }],
  ['readout.channels', { readout: { kind: 'rgba-premultiplied', channels: [0, 1, 3, 4] } }],
  ['encoder.convolutions', { encoder: { input: '0..1', convolutions: [] } }],
  ['data.side', { data: { kind: 'folder', folder: 'x', side: 16, margin: 0 } }],
  ['seed', { seed: -1 }],
  ['updates', { updates: undefined }],
  ['batch.micro', { batch: { fresh: 4, micro: 3 } }],
  ['growthSteps', { growthSteps: [3, 4] }],
  ['growthSteps', { ...uniform, growthSteps: [5, 4] }],
  ['curriculum', { curriculum: [{ side: 6, until: 0.5 }] }],
  ['curriculum', { curriculum: [{ side: 16, until: 0.5 }] }],
  ['curriculum', { curriculum: [2, 4].map((side) => ({ side, until: 0.5 })) }],
  ['curriculum', { curriculum: [0.2, 0.5].map((until) => ({ side: 4, until })) }],
  ['growth.steps', { ...uniform, growthSteps: [5, 9] }],
  ['growth.steps', { ...uniform, growthSteps: { from: [4, 4], to: [1, 3] } }],
  ['judgeStages', { ...uniform, judgeStages: 0.5 }],
  ['judgeGrown', { judgeGrown: 0.5 }],
  ['augment.recolour', { ...ink, augment: { recolour: 0.5 } }],
  ['optimiser.beta2', { optimiser: { beta2: 1 } }],
  ['pool', { ...decoder, ...pool({}) }],
  ['pool', { trains: 'encoder', ...pool({}) }],
  ['galleryOffsets', { trains: 'encoder', galleryOffsets: {} }],
  ['pool.size', pool({ size: 2 })],
  ['pool.size', pool({ calm: { batch: 4, steps: [1, 2] } })],
  ['pool.calm.batch', pool({ size: 9, calm: { batch: 3, steps: [1, 2] } })],
  ['pool.calm.steps', pool({ size: 9, calm: { batch: 4, steps: [3, 2] } })],
  ['places', { places: { channel: 4, octaves: 1 } }],
  ['places', { channels: 8, latentSize: 8, places: { channel: 3, octaves: 1 } }],
  ['leakRamp', { leakRamp: [0.5, 0.2] }],
  ['pool.batch', pool({ batch: 3 })],
  ['pool.admit', pool({ admit: 5 })],
  ['pool.steps', pool({ steps: { from: [1, 2] } })],
  ['pool.patients', pool({ patients: { batch: 2 } })],
  ['pool.patients.batch', { closing: 1, ...pool({ patients: { batch: 3 } }) }],
  ['pool.patients.steps', { closing: 1, ...pool({ patients: { batch: 2, steps: [1, 2] } }) }],
  ['pool.patients.crowded', { closing: 1, ...pool({ patients: { batch: 2, crowded: 0.5 } }) }],
  ['augment.shift', { augment: { shift: 8 } }],
  ['colour', { colour: 'red' }],
])('an error names its field: %s', (field, fields) => {
  const message = expect.stringMatching(new RegExp(`^run\\.json: field "${field}.*$`));
  expect(() => parseConfig(tinyConfigJson(fields), 'run.json')).toThrow(
    expect.objectContaining({ name: 'TrainingError', reason: 'bad-config', message }),
  );
});
test('a missing file, or one that is not JSON, is refused by name', async () => {
  const file = join(folder(), 'none.json');
  await expect(readConfig(file)).rejects.toMatchObject({
    reason: 'missing-config',
    message: `${file} cannot be read (ENOENT)`,
  });
  await writeFile(file, '{"name": ');
  await expect(readConfig(file)).rejects.toMatchObject({
    reason: 'bad-config',
    message: expect.stringContaining(`${file} is not JSON`),
  });
  await writeFile(file, JSON.stringify(tinyConfigJson()));
  await expect(readConfig(file)).resolves.toEqual(tinyConfig());
});

describe('in the course of a run', () => {
  const config = tinyConfig(pool({}));
  const before = JSON.stringify(config);
  const changed = (fields: object) => changedField(before, { ...config, ...fields });

  test('the schedule may change', () => {
    expect(changed({})).toBeUndefined();
    expect(
      changed({
        updates: 99,
        seed: 5,
        beta: 0.5,
        title: 'Other',
        batch: { fresh: 8, micro: 4 },
        pool: undefined,
        optimiser: { ...config.optimiser, learningRate: 1 },
        data: { ...config.data, folder: 'moved' },
      }),
    ).toBeUndefined();
  });

  test.each([
    ['update.leak', { update: { ...config.update, leak: 0.5 } }],
    ['readout.channels.0', { readout: { ...config.readout, channels: [1, 2, 3, 4] } }],
    ['encoder.input', { encoder: { ...config.encoder, input: '-1..1' } }],
    ['data.margin', { data: { ...config.data, margin: 1, folder: 'moved' } }],
  ])('%s may not', (field, fields) => {
    expect(changed(fields)).toBe(field);
  });

  test('rules that are newer than a run do not hold for it', () => {
    const stored = { ...config, judgeGrown: 0.5, optimiser: { ...config.optimiser, average: 1 } };
    expect(() => parseConfig(stored, 'run.json')).toThrow('judgeGrown');
    expect(changedField(JSON.stringify(stored), config)).toBeUndefined();
  });

  test('a configuration that is no longer valid counts as changed', () => {
    expect(changedField('{}', config)).toBe('configuration');
    expect(changedField('{', config)).toBe('configuration');
  });
});

describe('another batch', () => {
  const big = tinyConfig({
    batch: { fresh: 64, micro: 8 },
    pool: { ...TINY_POOL, size: 1024, batch: 64, admit: 64 },
  });

  test.each([
    [2, { fresh: 2, micro: 2 }, { size: 32, batch: 2, admit: 2 }],
    [1, { fresh: 1, micro: 1 }, { size: 16, batch: 1, admit: 1 }],
    [12, { fresh: 12, micro: 6 }, { size: 192, batch: 12, admit: 12 }],
    [128, { fresh: 128, micro: 8 }, { size: 2048, batch: 128, admit: 128 }],
  ])('of %i scales the pool along', (fresh, batch, wanted) => {
    const config = withBatch(big, fresh);
    expect(config.batch).toEqual(batch);
    expect(config.pool).toEqual({ ...big.pool, ...wanted });
    // The result is a valid configuration itself.
    expect(parseConfig(JSON.parse(JSON.stringify(config)), 'x')).toEqual(config);
  });

  it('of any size gives a valid configuration', async () => {
    const names = ['drawings', 'organisms', 'organisms-neighbours', 'organisms-broad'];
    const shipped = [...names, 'digits', 'digits-heal', 'noto'].map((name) =>
      readConfig(`server/training/configs/${name}.json`),
    );
    const own = [big, tinyConfig(pool({ batch: 6, size: 7 })), tinyConfig()];
    for (let fresh = 1; fresh <= 40; fresh++) {
      for (const config of [...own, ...(await Promise.all(shipped))]) {
        const scaled = withBatch(config, fresh);
        expect(scaled.batch.fresh).toBe(fresh);
        expect(() => parseConfig(JSON.parse(JSON.stringify(scaled)), 'x')).not.toThrow();
      }
    }
  });
});

test('images of the user are relative to the working directory', () => {
  const { data } = withImages(tinyConfig(), 'drawings');
  expect(data).toEqual({ ...tinyConfig().data, folder: join(process.cwd(), 'drawings') });
  const digits = tinyConfig({
    side: 32,
    readout: { kind: 'bernoulli', channel: 0 },
    data: { kind: 'mnist', side: 32 },
  });
  expect(() => withImages(digits, 'drawings')).toThrow(/^--images works only .* but .*"mnist"$/);
});

/** Tests the shipped configurations: the published ones must match the publication. */

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

/** Reads the command in a card back with the command line's parser. */

const optionsOf = (...args: string[]): Options => {
  const options = readOptions(args);
  if (options === 'help') throw new Error('help was asked for');
  return options;
};
const first = (...args: string[]): string => commandOf(optionsOf(...args), 0);

/** Returns the words of a command without quotes, after `npm run train --`. */
const argsOf = (line: string): string[] => line.split(' ').slice(4);

it('contains every option that changes the result', () => {
  const args = ['a.json', '--name', 'mine', '--updates', '50', '--batch', '2', '--backend', 'onnx'];
  const more = ['--from', 'checkpoints/x'];
  expect(optionsOf(...argsOf(first(...args, ...more)))).toEqual(optionsOf(...args, ...more));
});

it('quotes special characters', () => {
  expect(first("my drawings'.json")).toBe(String.raw`npm run train -- 'my drawings'\''.json'`);
});

// settings/command-line.test.ts tests errors that all commands share.
test.each([
  [[], 'Give one configuration'],
  [['a.json', '--updates', '0'], '--updates'],
  [['a.json', '--batch=-2'], '--batch'],
  [['a.json', '--backend', 'abacus'], COMPUTE_NAMES.join(', ')],
  [['a.json', '--resume', '--from', 'x'], '--from'],
  [['a.json', '--refine', '0.01'], '--resume'],
  [['a.json', '--resume', '--refine', '-1'], '--refine'],
])('%j is refused', (args, text) => {
  expect(() => readOptions(args)).toThrow(
    expect.objectContaining({ reason: 'bad-option', message: expect.stringContaining(text) }),
  );
});
