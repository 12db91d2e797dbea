import { inLanes } from '../../../server/training/lanes.ts';

/** Jobs that end when told to. */
function gate() {
  const open: (() => void)[] = [];
  let running = 0;
  let most = 0;
  return {
    open,
    most: () => most,
    async pass(): Promise<void> {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => open.push(resolve));
      running--;
    },
  };
}

test('jobs run so many at a time; results come in their order', async () => {
  const { open, most, pass } = gate();
  const done = inLanes([1, 2, 3, 4, 5], 2, async (job, i) => {
    await pass();
    return `${i}:${job}`;
  });
  // The last to begin ends first.
  for (let i = 0; i < 5; i++) {
    while (open.length === 0) await Promise.resolve();
    open.pop()!();
    await new Promise(setImmediate);
  }
  expect(await done).toEqual(['0:1', '1:2', '2:3', '3:4', '4:5']);
  expect(most()).toBe(2);
});

test('after a failure no job begins, and those that had begun are waited for', async () => {
  const { open, pass } = gate();
  const begun: number[] = [];
  const ended: number[] = [];
  const done = inLanes([0, 1, 2, 3], 2, async (job) => {
    begun.push(job);
    if (job === 1) throw new Error('job 1');
    await pass();
    ended.push(job);
  });
  const failure = done.catch((error: Error) => `${error.message} after ${ended}`);
  await new Promise(setImmediate);
  for (const resolve of open) resolve();
  expect(await failure).toBe('job 1 after 0');
  expect(begun).toEqual([0, 1]);
});

test('no jobs are no work', async () => {
  expect(await inLanes([], 2, async () => 1)).toEqual([]);
});
