import { appendFile, mkdir, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TrainingError } from '../../../server/training/errors.ts';
import { createWriter, saveAfterFailure } from '../../../server/training/run/loop.ts';
import {
  appendLog,
  cutLog,
  loadRun,
  STATE_FILE,
  saveRun,
  setAside,
} from '../../../server/training/run/run-folder.ts';
import { firstState, type RunState } from '../../../server/training/run/run-state.ts';
import { parseSafetensors, writeSafetensors } from '../../../server/vnca/checkpoint.ts';
import { float32Of } from '../../../shared/safetensors.ts';
import { suiteFolder } from '../../support/closing.ts';
import { numbersOf, TINY_POOL, tinyConfig } from './tiny-run.ts';

const root = suiteFolder();
const config = tinyConfig({ pool: TINY_POOL });
const { tensors } = firstState(config);
const SIZE = 8 * 8 * 6;
const numbers = (of: (i: number) => number) => Float32Array.from({ length: SIZE }, (_, i) => of(i));
const bytes = (of: (i: number) => number) => Uint8Array.from({ length: 8 * 8 }, (_, i) => of(i));
const state: RunState = {
  update: 77_777,
  reached: 1 / 3,
  tensors: new Map(
    [...tensors].flatMap(([name, { shape, data }]) =>
      [name, name.replace('parameter', 'first')].map((key) => [
        key,
        { shape, data: data.map((x) => x + 1) },
      ]),
    ),
  ),
  pool: [4, 202_598].map((image) => ({
    ...{ image, age: 10 * image, states: numbers((i) => i / image) },
  })),
  crowd: [7, 9].map((image) => ({
    ...{ image, age: 3 * image, states: numbers((i) => image / (i + 1)) },
    open: bytes((i) => i % (image - 5)),
  })),
  patients: [3, 5].map((image) => ({
    ...{ image, age: image, states: numbers((i) => image * i), open: bytes((i) => i % 2) },
    closed: bytes((i) => i * (image - 2)),
  })),
};

let count = 0;
const newFolder = (): string => join(root, `${count++}`);
/** Saves a run in a new folder. */
async function saved(of: RunState = state): Promise<{ folder: string; file: string }> {
  const folder = newFolder();
  await saveRun(folder, { state: of, seconds: 90, images: '0123', from: 'checkpoints/x' }, config);
  return { folder, file: join(folder, STATE_FILE) };
}

async function expectBad(folder: string, ...texts: string[]): Promise<void> {
  const error = await loadRun(folder, config).catch((thrown) => thrown);
  expect(error).toMatchObject({ name: 'TrainingError', reason: 'bad-run' });
  expect(error.message.split('\n')).toHaveLength(1);
  for (const text of [join(folder, STATE_FILE), ...texts]) expect(error.message).toContain(text);
}

it('loads what was saved', async () => {
  const { folder } = await saved();
  const { state: found, ...rest } = await loadRun(folder, config);
  expect(rest).toEqual({ seconds: 90, images: '0123', from: 'checkpoints/x' });
  const command = 'npm run train -- a.json --updates 7';
  await saveRun(folder, { state, seconds: 90, command }, config);
  expect((await loadRun(folder, config)).command).toBe(command);
  expect(numbersOf(found)).toEqual(numbersOf(state));
  const empty = await saved({ ...state, pool: [], crowd: [] });
  expect((await loadRun(empty.folder, config)).state).toMatchObject({ pool: [], crowd: [] });
});

describe('a damaged state is refused with a sentence:', () => {
  test('truncated anywhere', async () => {
    const { folder, file } = await saved();
    const whole = await readFile(file);
    for (const length of [0, 4, 100, Math.floor(whole.length / 2), whole.length - 1]) {
      await writeFile(file, whole.subarray(0, length));
      await expectBad(folder, 'Start a new run');
    }
  });

  test.each<[string, (all: Map<string, unknown>) => void, string]>([
    ['without its counter', (all) => all.delete('run'), '"run"'],
    ['without half of its pool', (all) => all.delete('pool.entries'), '"pool.*"'],
    [
      'with a pool of another model',
      (all) => all.set('pool.states', { shape: [2, 5], data: new Float32Array(10) }),
      '"pool.*"',
    ],
    ['without a weight', (all) => all.delete('parameter:update.out.bias'), 'update.out.bias"'],
    [
      'with a moment of another shape',
      (all) => all.set('first:update.out.bias', { shape: [2], data: new Float32Array(2) }),
      'update.out.bias"',
    ],
  ])('%s', async (_, edit, text) => {
    const { folder, file } = await saved();
    const whole = parseSafetensors(await readFile(file), file);
    const edited = float32Of(whole);
    edit(edited);
    await writeFile(file, writeSafetensors(edited, whole.metadata));
    await expectBad(folder, text);
  });
});

it('refuses a model of other shapes', async () => {
  const { folder, file } = await saved();
  const wider = tinyConfig({ update: { kind: 'residual', hidden: 6, stateLimit: 4 } });
  const all = float32Of(parseSafetensors(await readFile(file), file));
  const metadata = { config: JSON.stringify(wider), reached: '0' };
  await writeFile(file, writeSafetensors(all, metadata));
  await expect(loadRun(folder, wider)).rejects.toMatchObject({
    reason: 'bad-run',
    message: expect.stringContaining('update.perceive.kernel" is [3,3,6,5], not [3,3,6,6]'),
  });
});

it('keeps the old state until the new one is complete', async () => {
  const { folder, file } = await saved();
  const before = await readFile(file);
  // An interrupted write leaves only its part file.
  await writeFile(`${file}.part`, before.subarray(0, 1000));
  expect((await loadRun(folder, config)).state.update).toBe(77_777);
  // A tensor that cannot be written fails the save.
  const odd = new Map(state.tensors).set('parameter:odd', {
    shape: [3],
    data: new Float32Array(2),
  });
  const next = { state: { ...state, update: 77_778, tensors: odd }, seconds: 91 };
  await expect(saveRun(folder, next, config)).rejects.toThrow('odd');
  expect(await readFile(file)).toEqual(before);
  await saveRun(folder, { state: { ...state, update: 77_778 }, seconds: 91 }, config);
  expect((await loadRun(folder, config)).state.update).toBe(77_778);
  expect(await readdir(folder)).toEqual([STATE_FILE]);
  // A failed save leaves no other file.
  await rm(file);
  await mkdir(file);
  await expect(saveRun(folder, { state, seconds: 91 }, config)).rejects.toThrow();
  expect(await readdir(folder)).toEqual([STATE_FILE]);
});

it('renames the previous run for a new one', async () => {
  const { folder } = await saved();
  await appendLog(folder, { update: 1 });
  expect(await setAside(folder)).toBe(true);
  expect((await readdir(folder)).sort()).toEqual(['log.old.jsonl', 'state.old.safetensors']);
  expect(await setAside(folder)).toBe(false);
  await expect(loadRun(folder, config)).rejects.toMatchObject({ reason: 'no-run' });
});

it('does not replace a previous run by one of fewer updates', async () => {
  const { folder, file } = await saved();
  await setAside(folder);
  const again = (update: number) => save(folder, { ...state, update });
  await again(3);
  await expect(setAside(folder)).rejects.toMatchObject({
    reason: 'bad-run',
    message: expect.stringMatching(
      /state\.old\.safetensors \(77777 updates\) .* \(only 3 updates\)\. .*--resume/,
    ),
  });
  expect((await loadRun(folder, config)).state.update).toBe(3);
  await again(77_777);
  expect(await setAside(folder)).toBe(true);
  // A damaged file may be replaced.
  await writeFile(join(folder, 'state.old.safetensors'), 'x');
  await again(2);
  expect(await setAside(folder)).toBe(true);
  await expect(readFile(file)).rejects.toThrow('ENOENT');
});

it('removes repeated updates from the log', async () => {
  const { folder } = await saved();
  for (let update = 1; update <= 4; update++) await appendLog(folder, { update, x: 0 });
  const log = join(folder, 'log.jsonl');
  await writeFile(log, `${await readFile(log, 'utf8')}{"upd`);
  await cutLog(folder, 2);
  expect(await readFile(log, 'utf8')).toBe('{"update":1,"x":0}\n{"update":2,"x":0}\n');
  await appendLog(folder, { update: 3, x: 0 });
  expect((await readFile(log, 'utf8')).trim().split('\n')).toHaveLength(3);
});

const save = (folder: string, state: RunState) => saveRun(folder, { state, seconds: 1 }, config);

test.each([
  ['is saved', new RangeError('no image'), undefined, ['all earlier updates are saved']],
  ['says why it cannot be saved', new RangeError('no image'), new Error('no space'), ['no space']],
  ['is not saved if its gradient explodes', new TrainingError('not-finite', 'x'), undefined, []],
])('after a failed update, the state %s', async (_, error, failure, wanted) => {
  const said: string[] = [];
  const saving = async () => {
    if (failure) throw failure;
  };
  await saveAfterFailure(error, saving, (line) => said.push(line));
  expect(said).toEqual(wanted.map((text) => expect.stringContaining(text)));
});

test('a file that cannot be written is said once until it can, and a run goes on', async () => {
  const said: string[] = [];
  const write = createWriter((line) => said.push(line));
  const log = join(root, 'log');
  const append = () => write('the log', () => appendFile(log, 'x'));
  await mkdir(log);
  await append();
  await append();
  expect(said).toEqual([expect.stringMatching(/^the log cannot be written: EISDIR.*continues\.$/)]);
  await rmdir(log);
  await append();
  expect(await readFile(log, 'utf8')).toBe('x');
  await rm(log);
  await mkdir(log);
  await append();
  expect(said).toHaveLength(2);
  const failing = () => Promise.reject(new TypeError('no tensor'));
  await expect(write('the state', failing)).rejects.toThrow('no tensor');
});
