/** Pools of workers: the order of jobs, and threads that fail. */
import type { Compute } from '../../../../server/autodiff/compute.ts';
import { createOnnxCompute } from '../../../../server/autodiff/onnx.ts';
import {
  openWorkerPool,
  type PoolWorker,
  WorkerPool,
} from '../../../../server/training/workers/worker-pool.ts';
import { type Job, type Result, workerJob } from './sample-job.ts';

/** Makes workers whose jobs end on request. */
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
        // The job that began last ends first.
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

describe('in threads', () => {
  /** Returns the number of running worker threads of this process. */
  const threads = (): number =>
    (process.report.getReport() as unknown as { readonly workers: readonly unknown[] }).workers
      .length;

  const two: Compute = createOnnxCompute({ threads: 2 });
  type Pool = ReturnType<typeof openWorkerPool<unknown, Job, Result>>;
  let pool: Pool;
  let counters: Int32Array;
  function open(refuse = false, compute = two): void {
    counters = new Int32Array(new SharedArrayBuffer(8));
    pool = openWorkerPool(workerJob, compute, { counters, refuse });
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
    // Each job ends only after the other has started.
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

  it.each([
    ['training', { name: 'TrainingError', reason: 'not-finite', message: 'no number' }],
    ['range', { name: 'RangeError', message: 'too far' }],
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
});
