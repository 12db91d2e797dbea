import { retry } from '../../../server/platform/retry.ts';
import { TrainingError } from '../../../server/training/errors.ts';
import { afterLostThread } from '../../../server/training/lost-thread.ts';

const lost = (n: number): TrainingError => new TrainingError('lost-thread', `death ${n}`);

/** Work that fails so many times, and what became of it. */
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

it('gives up at the third death, and reports the earlier ones', async () => {
  const deaths = [1, 2, 3, 4].map(lost);
  const lines = ['death 1; done again', 'death 2; done again'];
  expect(await tried(deaths.slice(0, 2))).toEqual({ result: 'done', calls: 3, lines });
  expect(await tried(deaths)).toEqual({ result: deaths[2], calls: 3, lines });
});

it.each([
  ['not-finite', new TrainingError('not-finite', 'gradient')],
  ['another error', new RangeError('no image')],
])('does nothing again for another reason: %s', async (_, error) => {
  expect(await tried([error])).toEqual({ result: error, calls: 1, lines: [] });
});
