/** What is left of a run when an update fails: in a folder where a sound save lies already. */
import { retry } from '../../../server/platform/retry.ts';
import { TrainingError } from '../../../server/training/errors.ts';
import { afterLostThread, saveAfterFailure } from '../../../server/training/failures.ts';
import { loadRun, saveRun } from '../../../server/training/run-folder.ts';
import { firstState, type RunState } from '../../../server/training/run-state.ts';
import { numbersOf, TINY_POOL, temporaryFolder, tinyConfig } from './tiny-run.ts';

const lost = (n: number): TrainingError => new TrainingError('lost-thread', `death ${n}`);
const notFinite = new TrainingError('not-finite', 'gradient of update 5 is not finite');

/** Tries work that fails so many times. */
async function tried(failures: readonly Error[]) {
  let calls = 0;
  const lines: string[] = [];
  const work = async (): Promise<string> => {
    const failure = failures[calls++];
    if (failure) throw failure;
    return 'done';
  };
  const options = afterLostThread('done again', (line) => lines.push(line));
  const result = await retry(work, options).catch((error) => error);
  return { result, calls, lines };
}

it('gives up at the third death of a thread, and reports the earlier ones', async () => {
  const deaths = [1, 2, 3, 4].map(lost);
  const lines = ['death 1; done again', 'death 2; done again'];
  expect(await tried(deaths.slice(0, 2))).toEqual({ result: 'done', calls: 3, lines });
  expect(await tried(deaths)).toEqual({ result: deaths[2], calls: 3, lines });
});

it.each([notFinite, new RangeError('no image')])('does not repeat after %s', async (error) => {
  expect(await tried([error])).toEqual({ result: error, calls: 1, lines: [] });
});

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
  else if (place) tensors.get(place)!.data[1] = number;
  return { update: 4, tensors, pool, crowd: [] };
}

/** Saves the first state, then salvages: what is in the folder now, and what was said. */
async function left(error: unknown, read: () => Promise<RunState>, saving = save) {
  await save(first);
  const said: string[] = [];
  await saveAfterFailure(error, read, saving, (line) => said.push(line));
  return { state: numbersOf((await loadRun(folder(), config)).state), said };
}

it.each([lost(3), new RangeError('no image')])('saves what was done after %s', async (error) => {
  const { state, said } = await left(error, async () => later());
  expect(state).toEqual(numbersOf(later()));
  expect(said).toEqual(['update 5 failed; the updates before it are saved']);
});

it.each([
  ['parameter:update.out.kernel', Number.NaN],
  ['second:update.out.kernel', Number.POSITIVE_INFINITY],
  ['pool', Number.NaN],
])('leaves the last save for a broken state: %s is %d', async (place, number) => {
  const { state, said } = await left(new Error('hit'), async () => later(place, number));
  expect(state).toEqual(numbersOf(first));
  expect(said).toEqual([expect.stringContaining('broken')]);
});

it('keeps the last saved state after a gradient that is not finite', async () => {
  const { state, said } = await left(notFinite, async () => later());
  expect([state, said]).toEqual([numbersOf(first), []]);
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
