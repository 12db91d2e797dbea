import { type PoolWorker, WorkerPool } from '../../../../server/training/workers/worker-pool.ts';

/** Workers whose jobs end on request. */
function gated(width: number, fails = -1) {
  const open: (() => void)[] = [];
  const begun: number[] = [];
  const ended: number[] = [];
  let running = 0;
  let most = 0;
  let opened = 0;
  let closed = 0;
  const pool = new WorkerPool<number, string>(
    width,
    async (): Promise<PoolWorker<number, string>> => {
      const name = opened++;
      return {
        async work(job) {
          begun.push(job);
          if (job === fails) throw new Error(`job ${job}`);
          most = Math.max(most, ++running);
          await new Promise<void>((resolve) => open.push(resolve));
          running--;
          ended.push(job);
          return `${job} by ${name}`;
        },
        close: async () => void closed++,
      };
    },
  );
  return {
    ...{ workers: pool, open, begun, ended },
    counts: () => ({ most, opened, closed }),
    async letAllEnd(jobs: number): Promise<void> {
      for (let i = 0; i < jobs; i++) {
        while (open.length === 0) await new Promise(setImmediate);
        // The last to begin ends first.
        open.pop()!();
        await new Promise(setImmediate);
      }
    },
  };
}

test('jobs run in parallel up to the size; results come with their index', async () => {
  const { workers: pool, begun, counts, letAllEnd } = gated(2);
  const results = new Map<number, string>();
  const done = pool.work([10, 11, 12, 13, 14], (result, i) => results.set(i, result));
  await letAllEnd(5);
  await done;
  expect(begun).toEqual([10, 11, 12, 13, 14]);
  expect(results.get(0)).toBe('10 by 0');
  expect([...results].map(([i, result]) => result.startsWith(`${10 + i} `))).toEqual(
    new Array(5).fill(true),
  );
  expect(counts()).toEqual({ most: 2, opened: 2, closed: 0 });
  await pool.dispose();
  expect(counts().closed).toBe(2);
  await expect(pool.work([1], () => {})).rejects.toThrow('closed');
});

test('the most expensive jobs begin first', async () => {
  const { workers: pool, begun, letAllEnd } = gated(1);
  const done = pool.work([1, 3, 2, 3], () => {}, Number);
  await letAllEnd(4);
  await done;
  expect(begun).toEqual([3, 3, 2, 1]);
});

test('after a failure no job begins, and running jobs are awaited', async () => {
  const { workers: pool, open, begun, ended } = gated(2, 1);
  const failure = pool
    .work([0, 1, 2, 3], () => {})
    .catch((error: Error) => `${error.message} after ${ended}`);
  await new Promise(setImmediate);
  for (const resolve of open) resolve();
  expect(await failure).toBe('job 1 after 0');
  expect(begun).toEqual([0, 1]);
});

test('calls and disposal wait for earlier calls', async () => {
  const { workers: pool, ended, counts, letAllEnd } = gated(2);
  const calls = [pool.work([0], () => {}), pool.work([1], () => {}), pool.dispose()];
  await letAllEnd(2);
  await Promise.all(calls);
  expect(ended).toEqual([0, 1]);
  expect(counts()).toEqual({ most: 1, opened: 1, closed: 1 });
});
