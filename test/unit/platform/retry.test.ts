import { retry } from '../../../server/platform/retry.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** Work that fails so many times, and what became of it. */
async function tried(failures: readonly Error[], isTransient?: (error: unknown) => boolean) {
  const clock = new FakeClock();
  const begun: number[] = [];
  const heard: unknown[] = [];
  const work = async (): Promise<string> => {
    const failure = failures[begun.length];
    begun.push(clock.now());
    if (failure) throw failure;
    return 'done';
  };
  const start = clock.now();
  const result = retry(work, {
    clock,
    pauses: [10, 2_000],
    onFailure: (error) => heard.push(error),
    ...(isTransient && { isTransient }),
  }).catch((error: unknown) => error);
  await clock.advance(10_000);
  return { result: await result, begun: begun.map((at) => at - start), heard };
}

const errors = [1, 2, 3, 4].map((n) => new Error(`failure ${n}`));

it('does nothing twice that goes well', async () => {
  expect(await tried([])).toEqual({ result: 'done', begun: [0], heard: [] });
});

it('tries again after each pause, and tells of each failure', async () => {
  expect(await tried(errors.slice(0, 1))).toEqual({
    result: 'done',
    begun: [0, 10],
    heard: errors.slice(0, 1),
  });
  expect(await tried(errors.slice(0, 2))).toEqual({
    result: 'done',
    begun: [0, 10, 2_010],
    heard: errors.slice(0, 2),
  });
});

it('throws what the last try throws', async () => {
  expect(await tried(errors)).toEqual({
    result: errors[2],
    begun: [0, 10, 2_010],
    heard: errors.slice(0, 2),
  });
});

it('does not try again where that is of no use', async () => {
  expect(await tried(errors, (error) => error !== errors[1])).toEqual({
    result: errors[1],
    begun: [0, 10],
    heard: errors.slice(0, 1),
  });
});
