/**
 * Runs several jobs in parallel: in a pool of worker threads on a CPU, in this thread alone on a
 * GPU.
 */

import { Worker } from 'node:worker_threads';
import type { Compute, ComputeName } from '../../autodiff/compute.ts';
import '../../engine/onnx/no-telemetry.ts';
import { WorkerRpc } from '../../platform/worker-rpc.ts';
import { TrainingError } from '../errors.ts';

/** A worker that runs jobs one after another. */
export interface PoolWorker<Job, Result> {
  /** Whether the thread has died, so that the worker can run no more jobs. */
  readonly lost?: boolean;
  work(job: Job): Promise<Result>;
  /** Ends the worker. Does not throw. */
  close(): Promise<void>;
}

/**
 * A kind of job for workers. A module must export it as `workerJob`, so that a thread can load it
 * by the module's URL. Plans, jobs and results must be plain data that can be cloned.
 */
export interface WorkerJob<Plan, Job, Result> {
  /** URL of the module. */
  readonly module: string;
  /** Prepares a worker for jobs. */
  open(compute: Compute, plan: Plan): Promise<PoolWorker<Job, Result>>;
}

/** Methods of a worker thread, for its parent. */
export type WorkerMethods<Job, Result> = Pick<PoolWorker<Job, Result>, 'work'>;
/** `module`: URL of the module whose `workerJob` the thread runs. */
export type WorkerStart = {
  readonly module: string;
  readonly plan: unknown;
  readonly backend: ComputeName;
};

/**
 * A pool of workers that take jobs as they become free. Workers start when first needed. A lost
 * worker is replaced.
 */
export class WorkerPool<Job, Result> {
  private readonly workers: (PoolWorker<Job, Result> | undefined)[];

  /** @param size number of workers, 1… */
  constructor(
    size: number,
    private readonly open: () => Promise<PoolWorker<Job, Result>>,
  ) {
    this.workers = new Array<undefined>(size).fill(undefined);
  }

  /**
   * Runs all jobs. If a job fails, no further job starts, and its error is thrown once the running
   * jobs have ended. Wait for one call before the next.
   *
   * @param onResult called with each result and the index of its job, in order of completion
   * @param costOf cost of a job; expensive jobs start first, so that none runs alone at the end. If
   * absent, jobs start in their order
   */
  async work(
    jobs: readonly Job[],
    onResult: (result: Result, i: number) => void,
    costOf: (job: Job) => number = () => 0,
  ): Promise<void> {
    const costs = jobs.map(costOf);
    const queue = [...jobs.keys()].sort((a, b) => costs[b] - costs[a]);
    const failures: unknown[] = [];
    const run = async (slot: number): Promise<void> => {
      while (queue.length > 0 && failures.length === 0) {
        const i = queue.shift()!;
        try {
          const worker = await this.worker(slot);
          onResult(await worker.work(jobs[i]), i);
        } catch (error) {
          failures.push(error);
        }
      }
    };
    const size = Math.min(this.workers.length, jobs.length);
    await Promise.all(Array.from({ length: size }, (_, slot) => run(slot)));
    if (failures.length > 0) throw failures[0];
  }

  /** Ends all workers. */
  async dispose(): Promise<void> {
    await Promise.all(this.workers.splice(0).map((worker) => worker?.close()));
  }

  private async worker(slot: number): Promise<PoolWorker<Job, Result>> {
    const current = this.workers[slot];
    if (current && !current.lost) return current;
    await current?.close();
    this.workers[slot] = undefined;
    const worker = await this.open();
    this.workers[slot] = worker;
    return worker;
  }
}

/**
 * Opens as many workers as suit the back end. A single worker works in this thread with `compute`
 * itself. If there are several workers, each is a thread with its own single-threaded back end,
 * because ONNX Runtime and native code block the thread that calls it.
 */
export function openWorkerPool<Plan, Job, Result>(
  job: WorkerJob<Plan, Job, Result>,
  compute: Compute,
  plan: Plan,
): WorkerPool<Job, Result> {
  const { name, workers } = compute;
  return new WorkerPool(workers, () =>
    workers === 1
      ? job.open(compute, plan)
      : openThread<Job, Result>({ module: job.module, plan, backend: name }),
  );
}

/**
 * Starts a thread and waits until it can work. An idle thread does not keep the process alive.
 *
 * @throws errors of opening the worker job; TrainingError lost-thread: the thread died, during the
 * start or during a job
 */
async function openThread<Job, Result>(start: WorkerStart): Promise<PoolWorker<Job, Result>> {
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
    workerData: start,
    name: 'training',
  });
  const rpc = new WorkerRpc<WorkerMethods<Job, Result>>(worker, {
    errors: { TrainingError, RangeError },
    onDeath: ({ cause, why }) => {
      const how = cause === 'ended' ? `it ${why}` : why;
      return new TrainingError('lost-thread', `a training thread failed: ${how}`);
    },
    unref: true,
  });
  await rpc.ready;
  return {
    get lost() {
      return rpc.lost;
    },
    work: (job) => rpc.call('work', job) as Promise<Result>,
    close: () => rpc.close(new Error('the worker is closed')),
  };
}
