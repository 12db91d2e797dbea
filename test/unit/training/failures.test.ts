/**
 * What is left of a run when an update fails, in a folder with an earlier save. The
 * integration test kills threads.
 */
import { appendFile, mkdir, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createWriter, saveAfterFailure } from '../../../server/training/run/failures.ts';
import { loadRun, saveRun } from '../../../server/training/run/run-folder.ts';
import { firstState, type RunState } from '../../../server/training/run/run-state.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { numbersOf, TINY_POOL, tinyConfig } from './tiny-run.ts';

const folder = temporaryFolder();
const config = tinyConfig({ pool: TINY_POOL });
const first = firstState(config);
const save = (state: RunState): Promise<void> => saveRun(folder(), { state, seconds: 1 }, config);

/** A later state, with moments and a pool, where numbers can be replaced. */
function later(place?: string, number = 0): RunState {
  const tensors = new Map(
    [...first.tensors].flatMap(([name, { shape, data }]) =>
      [name, name.replace('parameter', 'second')].map((key) => [
        key,
        { shape, data: data.map((x) => x + 1) },
      ]),
    ),
  );
  const pool = [1, 2].map((image) => ({ image, age: 6, states: new Float32Array(8 * 8 * 6) }));
  if (place === 'pool') pool[1].states[7] = number;
  else if (place && place !== 'patients') tensors.get(place)!.data[1] = number;
  const patients = [
    { image: 1, age: 6, states: new Float32Array([number]), closed: new Uint8Array(1) },
  ].filter(() => place === 'patients');
  return { update: 4, reached: 0.5, tensors, pool, crowd: [], patients };
}

/** Saves the first state, then salvages: what is in the folder now, and what was said. */
async function left(error: unknown, read: () => Promise<RunState>, saving = save) {
  await save(first);
  const said: string[] = [];
  await saveAfterFailure(error, read, saving, (line) => said.push(line));
  return { state: numbersOf((await loadRun(folder(), config)).state), said };
}

it('saves what was done before', async () => {
  const { state, said } = await left(new RangeError('no image'), async () => later());
  expect(state).toEqual(numbersOf(later()));
  expect(said).toEqual(['update 5 failed; the updates before it are saved']);
});

it.each([
  ['parameter:update.out.kernel', Number.NaN],
  ['second:update.out.kernel', Number.POSITIVE_INFINITY],
  ['pool', Number.NaN],
  ['patients', Number.NaN],
])('leaves the last save for a broken state: %s is %d', async (place, number) => {
  const { state, said } = await left(new Error('hit'), async () => later(place, number));
  expect(state).toEqual(numbersOf(first));
  expect(said).toEqual([expect.stringContaining('broken')]);
});

it.each([
  ['read', async () => Promise.reject(new Error('the device failed')), save, 'the device failed'],
  ['written', async () => later(), () => Promise.reject(new Error('no space')), 'no space'],
])('says why a state cannot be %s, and throws nothing of its own', async (...given) => {
  const [, read, saving, why] = given;
  const { state, said } = await left(new Error('hit'), read, saving);
  expect(state).toEqual(numbersOf(first));
  expect(said).toEqual([expect.stringContaining(why)]);
});

test('a file that cannot be written is said once until it can, and a run goes on', async () => {
  const said: string[] = [];
  const write = createWriter((line) => said.push(line));
  const log = join(folder(), 'log');
  const append = () => write('the log', () => appendFile(log, 'x'));
  await mkdir(log);
  await append();
  await append();
  expect(said).toEqual([expect.stringMatching(/^the log cannot be written: EISDIR.*goes on$/)]);
  await rmdir(log);
  await append();
  expect(await readFile(log, 'utf8')).toBe('x');
  await rm(log);
  await mkdir(log);
  await append();
  expect(said).toHaveLength(2);
  const broken = () => Promise.reject(new TypeError('no tensor'));
  await expect(write('the state', broken)).rejects.toThrow('no tensor');
});
