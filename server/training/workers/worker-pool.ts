/** Runs jobs in a pool of workers: in threads on a CPU, or in the calling thread on a GPU. */

import { Worker } from 'node:worker_threads';
import type { Compute, ComputeName } from '../../autodiff/compute.ts';
import '../../engine/onnx/no-telemetry.ts';
import { WorkerRpc } from '../../platform/worker-rpc.ts';
import { TrainingError } from '../errors.ts';

/** A worker that runs jobs one after another. */
export interface PoolWorker<Job, Result> {
  /** Whether the worker's thread has died. */
  readonly lost?: boolean;
  work(job: Job): Promise<Result>;
  /** Stops the worker. Never throws. */
  close(): Promise<void>;
}

/**
 * The code that workers run for one kind of job. A module must export this object as `workerJob`,
 * so that threads can import it. Plans, jobs and results must be cloneable.
 */
export interface WorkerJob<Plan, Job, Result> {
  /** URL of the module that exports this object. */
  readonly module: string;
  /** Creates a worker. @param plan data shared by all jobs */
  open(compute: Compute, plan: Plan): Promise<PoolWorker<Job, Result>>;
}

/** Methods of a worker thread that the main thread can call. */
export type WorkerMethods<Job, Result> = Pick<PoolWorker<Job, Result>, 'work'>;
/**
 * Data that a worker thread starts with. `module` is the URL of a module that exports a
 * `workerJob`.
 */
export type WorkerStart = {
  readonly module: string;
  readonly plan: unknown;
  readonly backend: ComputeName;
};

/**
 * A pool of workers. Each worker starts when it is first needed, and is replaced if its thread has
 * died.
 */
export class WorkerPool<Job, Result> {
  private readonly workers: (PoolWorker<Job, Result> | undefined)[];

  constructor(
    size: number,
    private readonly open: () => Promise<PoolWorker<Job, Result>>,
  ) {
    this.workers = new Array<undefined>(size).fill(undefined);
  }

  /**
   * Runs all jobs. Calls must not overlap.
   *
   * @param onResult called when a job ends, with the job's result and index
   * @param costOf estimates a job's cost. Expensive jobs start first. By default, jobs start in the
   *   given order
   * @throws the error of the first job that fails, after all running jobs have ended; no further
   *   jobs start after an error
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
 * Creates a pool of `compute.workers` workers. A single worker runs in the calling thread. Several
 * workers run in threads, each with its own single-threaded back end.
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
 * Starts a worker thread and waits until it is ready. An idle thread does not keep the process
 * alive.
 *
 * @throws errors of `WorkerJob.open`; TrainingError 'lost-thread' if the thread dies while
 *   starting. The worker's method `work` throws 'lost-thread' if the thread dies during a job
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
