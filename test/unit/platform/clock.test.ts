import { localTime, retry } from '../../../server/platform/clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** Runs work that fails with these errors, one after another. */
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

test.each([
  ['runs work that succeeds once', 0, [0]],
  ['retries after a pause', 1, [0, 10]],
  ['retries after each pause, and reports each failure', 2, [0, 10, 2_010]],
])('%s', async (_, failures, begun) => {
  const heard = errors.slice(0, failures);
  expect(await tried(heard)).toEqual({ result: 'done', begun, heard });
});

test('throws the error of the last attempt', async () => {
  const heard = errors.slice(0, 2);
  expect(await tried(errors)).toEqual({ result: errors[2], begun: [0, 10, 2_010], heard });
});

test('does not retry after an error that is not transient', async () => {
  const heard = errors.slice(0, 1);
  const outcome = await tried(errors, (error) => error !== errors[1]);
  expect(outcome).toEqual({ result: errors[1], begun: [0, 10], heard });
});

test('a local time is written with its own day', () => {
  for (const hour of [0, 12, 23]) {
    const at = new Date(2026, 10, 25, hour, 5, 9).getTime();
    expect(localTime(at)).toBe(`2026-11-25T${`${hour}`.padStart(2, '0')}:05:09`);
  }
});
