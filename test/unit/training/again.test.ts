import { again } from '../../../server/training/again.ts';
import { TrainingError } from '../../../server/training/errors.ts';

const lost = (n: number): TrainingError => new TrainingError('lost-thread', `death ${n}`);

/** Work that fails so many times, and what became of it. */
async function tried(failures: readonly Error[]) {
  let calls = 0;
  const told: string[] = [];
  const work = async (): Promise<string> => {
    const failure = failures[calls++];
    if (failure) throw failure;
    return 'done';
  };
  const result = await again(work, ({ message }) => told.push(message)).catch((error) => error);
  return { result, calls, told };
}

it('does nothing twice that goes well', async () => {
  expect(await tried([])).toEqual({ result: 'done', calls: 1, told: [] });
});

it('does work again in which a thread has died, and tells of each', async () => {
  expect(await tried([lost(1)])).toEqual({ result: 'done', calls: 2, told: ['death 1'] });
  expect(await tried([lost(1), lost(2)])).toEqual({
    result: 'done',
    calls: 3,
    told: ['death 1', 'death 2'],
  });
});

it('gives up when threads go on dying', async () => {
  const deaths = [1, 2, 3, 4].map(lost);
  expect(await tried(deaths)).toEqual({
    result: deaths[2],
    calls: 3,
    told: ['death 1', 'death 2'],
  });
});

it.each([
  ['not-finite', new TrainingError('not-finite', 'gradient')],
  ['another error', new RangeError('no image')],
])('does nothing again for another reason: %s', async (_, error) => {
  expect(await tried([error])).toEqual({ result: error, calls: 1, told: [] });
});
