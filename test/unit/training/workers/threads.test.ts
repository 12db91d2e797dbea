/** Workers in threads: jobs, results, and threads that fail. */
import type { Compute } from '../../../../server/training/autodiff/compute.ts';
import { createOnnxCompute } from '../../../../server/training/autodiff/onnx.ts';
import { openWorkerPool } from '../../../../server/training/workers/worker-pool.ts';
import { threads } from './alive.ts';
import { type Job, type Result, workerJob } from './sample-job.ts';

const two: Compute = createOnnxCompute({ threads: 2 });
const counters = () => new Int32Array(new SharedArrayBuffer(8));

async function resultsOf(
  pool: ReturnType<typeof openWorkerPool<unknown, Job, Result>>,
  jobs: readonly Job[],
): Promise<Result[]> {
  const results: Result[] = [];
  await pool.work(jobs, (result, i) => {
    results[i] = result;
  });
  return results;
}

const echo: Job = { kind: 'echo', value: Float32Array.of(1, 2, 3) };

it('runs two jobs at the same time, in threads that end with it', async () => {
  const before = threads();
  const pool = openWorkerPool(workerJob, two, { counters: counters() });
  // Each ends only once the other has begun.
  const results = await resultsOf(pool, [
    { kind: 'meet', wanted: 2 },
    { kind: 'meet', wanted: 2 },
  ]);
  const ids = results.map(({ thread }) => thread);
  expect(new Set(ids).size).toBe(2);
  expect(ids).not.toContain(0);
  expect(threads()).toBe(before + 2);
  await pool.dispose();
  expect(threads()).toBe(before);
});

it('works in this thread for a back end with one worker', async () => {
  const pool = openWorkerPool(workerJob, createOnnxCompute({ threads: 1 }), {
    counters: counters(),
  });
  const before = threads();
  expect(await resultsOf(pool, [echo, echo])).toEqual([
    { thread: 0, value: Float32Array.of(1, 2, 3) },
    { thread: 0, value: Float32Array.of(1, 2, 3) },
  ]);
  expect(threads()).toBe(before);
  await pool.dispose();
});

it('passes on the progress of jobs', async () => {
  let sum = 0;
  const pool = openWorkerPool(workerJob, two, { counters: counters() }, (amount) => {
    sum += amount;
  });
  await resultsOf(
    pool,
    [1, 20, 300].map((amount) => ({ kind: 'progress', amount })),
  );
  expect(sum).toBe(321);
  await pool.dispose();
});

it.each([
  ['training', { name: 'TrainingError', reason: 'not-finite', message: 'no number' }],
  ['range', { name: 'RangeError', message: 'too far' }],
  ['other', { name: 'Error', message: 'no luck' }],
] as const)('throws an error (%s) as what it was, and goes on', async (what, error) => {
  const shared = counters();
  const pool = openWorkerPool(workerJob, two, { counters: shared });
  await expect(resultsOf(pool, [{ kind: 'throw', what }])).rejects.toMatchObject(error);
  const [{ value }] = await resultsOf(pool, [echo]);
  expect(value).toEqual(Float32Array.of(1, 2, 3));
  expect(shared[0]).toBe(1);
  await pool.dispose();
});

it.each([
  ['exit', 'it ended with code 3'],
  ['throw', 'hit'],
] as const)('names a thread that dies (%s), and starts another', async (how, message) => {
  const before = threads();
  const shared = counters();
  const pool = openWorkerPool(workerJob, two, { counters: shared });
  await expect(resultsOf(pool, [{ kind: 'die', how }, echo])).rejects.toMatchObject({
    name: 'TrainingError',
    reason: 'lost-thread',
    message: expect.stringContaining(message),
  });
  expect(await resultsOf(pool, [echo, echo])).toHaveLength(2);
  expect(shared[0]).toBe(3);
  await pool.dispose();
  expect(threads()).toBe(before);
});

it('throws the error of opening, and leaves no thread behind', async () => {
  const before = threads();
  const pool = openWorkerPool(workerJob, two, { counters: counters(), refuse: true });
  await expect(resultsOf(pool, [echo])).rejects.toMatchObject({
    name: 'TrainingError',
    reason: 'bad-data',
  });
  expect(threads()).toBe(before);
  await pool.dispose();
});
