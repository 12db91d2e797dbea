/** What is left of a run when an update fails: in a folder, where a sound save lies already. */
import { createCompute } from '../../../server/training/autodiff/create.ts';
import { TrainingError } from '../../../server/training/errors.ts';
import { loadRun, saveRun } from '../../../server/training/run-folder.ts';
import { firstState, type RunState } from '../../../server/training/run-state.ts';
import { saveAfterFailure } from '../../../server/training/save-after-failure.ts';
import { Trainer } from '../../../server/training/trainer.ts';
import {
  numbersOf,
  TINY_POOL,
  temporaryFolder,
  tinyConfig,
  tinyData,
  updates,
} from './tiny-run.ts';

const folder = temporaryFolder();
const config = tinyConfig({ pool: TINY_POOL });
const first = firstState(config);
/** After four updates: with moments, and states in the pool. */
let later: RunState;

beforeAll(async () => {
  const compute = await createCompute('onnx', { threads: 1 });
  const trainer = await Trainer.create(compute, config, tinyData(), first);
  await updates(trainer, 4);
  later = await trainer.state();
  await trainer.dispose();
  await compute.dispose();
});

const save = (state: RunState): Promise<void> => saveRun(folder(), { state, seconds: 1 }, config);

/**
 * Salvages after a save of the first state; gives back what is in the folder then, and what was
 * said.
 */
async function left(error: unknown, read: () => Promise<RunState>, saving = save) {
  await save(first);
  const said: string[] = [];
  await saveAfterFailure(error, read, saving, (line) => said.push(line));
  return { state: numbersOf((await loadRun(folder(), config)).state), said };
}

/** The later state with one number in the place of another. */
function broken(place: string, number: number): RunState {
  const tensors = new Map(
    [...later.tensors].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]),
  );
  const pool = later.pool.map((entry) => ({ ...entry, states: entry.states.slice() }));
  if (place === 'pool') pool[1].states[7] = number;
  else tensors.get(place)!.data[1] = number;
  return { ...later, tensors, pool };
}

it.each([
  ['threads that go on dying', new TrainingError('lost-thread', 'a thread has died')],
  ['any other error', new RangeError('no image')],
])('saves what was done, after %s', async (_, error) => {
  const { state, said } = await left(error, async () => later);
  expect(later.pool.length).toBeGreaterThan(2);
  expect(state).toEqual(numbersOf(later));
  expect(said).toEqual(['update 5 failed; the updates before it are saved']);
});

it.each([
  ['parameter:update.out.kernel', Number.NaN],
  ['second:update.out.kernel', Number.POSITIVE_INFINITY],
  ['pool', Number.NaN],
])('leaves the last save for a broken state: %s is %d', async (place, number) => {
  const { state, said } = await left(new Error('hit'), async () => broken(place, number));
  expect(state).toEqual(numbersOf(first));
  expect(said).toEqual([expect.stringContaining('broken')]);
});

it('keeps the last saved state after a gradient that is not finite', async () => {
  const error = new TrainingError('not-finite', 'gradient of update 5 is not finite');
  const { state, said } = await left(error, async () => later);
  expect(state).toEqual(numbersOf(first));
  expect(said).toEqual([]);
});

it.each([
  ['read', async () => Promise.reject(new Error('the device failed')), save, 'the device failed'],
  ['written', async () => later, () => Promise.reject(new Error('no space')), 'no space'],
])('says why what cannot be %s is lost, and throws nothing of its own', async (...given) => {
  const [, read, saving, why] = given;
  const { state, said } = await left(new Error('hit'), read, saving);
  expect(state).toEqual(numbersOf(first));
  expect(said).toEqual([expect.stringContaining(why)]);
});
