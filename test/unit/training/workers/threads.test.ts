/** Workers in threads: jobs, results, and threads that fail. */
import type { Compute } from '../../../../server/autodiff/compute.ts';
import { createOnnxCompute } from '../../../../server/autodiff/onnx.ts';
import { openWorkerPool } from '../../../../server/training/workers/worker-pool.ts';
import { type Job, type Result, workerJob } from './sample-job.ts';

/** Number of running worker threads of this process. */
const threads = (): number =>
  (process.report.getReport() as unknown as { readonly workers: readonly unknown[] }).workers
    .length;

const two: Compute = createOnnxCompute({ threads: 2 });
type Pool = ReturnType<typeof openWorkerPool<unknown, Job, Result>>;
let pool: Pool;
let counters: Int32Array;
function open(refuse = false, compute = two, onProgress?: (amount: number) => void): void {
  counters = new Int32Array(new SharedArrayBuffer(8));
  pool = openWorkerPool(workerJob, compute, { counters, refuse }, onProgress);
}
const before = threads();
afterEach(async () => {
  await pool.dispose();
  expect(threads()).toBe(before);
});

async function resultsOf(...jobs: Job[]): Promise<Result[]> {
  const results: Result[] = [];
  await pool.work(jobs, (result, i) => {
    results[i] = result;
  });
  return results;
}

const echo: Job = { kind: 'echo', value: Float32Array.of(1, 2, 3) };

it('runs two jobs at the same time, in threads that end with it', async () => {
  open();
  // Each ends only once the other has begun.
  const results = await resultsOf({ kind: 'meet', wanted: 2 }, { kind: 'meet', wanted: 2 });
  const ids = results.map(({ thread }) => thread);
  expect(new Set(ids).size).toBe(2);
  expect(ids).not.toContain(0);
  expect(threads()).toBe(before + 2);
});

it('works in this thread for a back end with one worker', async () => {
  open(false, createOnnxCompute({ threads: 1 }));
  const wanted = { thread: 0, value: Float32Array.of(1, 2, 3) };
  expect(await resultsOf(echo, echo)).toEqual([wanted, wanted]);
  expect(threads()).toBe(before);
});

it('passes on the progress of jobs', async () => {
  let sum = 0;
  open(false, two, (amount) => {
    sum += amount;
  });
  await resultsOf(...[1, 20, 300].map((amount): Job => ({ kind: 'progress', amount })));
  expect(sum).toBe(321);
});

it.each([
  ['training', { name: 'TrainingError', reason: 'not-finite', message: 'no number' }],
  ['range', { name: 'RangeError', message: 'too far' }],
  ['other', { name: 'Error', message: 'no luck' }],
] as const)('throws an error (%s) as what it was, and goes on', async (what, error) => {
  open();
  await expect(resultsOf({ kind: 'throw', what })).rejects.toMatchObject(error);
  const [{ value }] = await resultsOf(echo);
  expect(value).toEqual(Float32Array.of(1, 2, 3));
  expect(counters[0]).toBe(1);
});

it('throws the error of opening, and leaves no thread behind', async () => {
  open(true);
  const error = { name: 'TrainingError', reason: 'bad-data' };
  await expect(resultsOf(echo)).rejects.toMatchObject(error);
  expect(threads()).toBe(before);
});
