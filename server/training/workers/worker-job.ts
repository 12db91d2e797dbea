/** What lanes do, and where: on a GPU in this thread, on a CPU in a thread for each core. */
import type { Compute } from '../autodiff/compute.ts';
import { type PoolWorker, WorkerPool } from './worker-pool.ts';
import { openThread } from './worker-thread.ts';

/**
 * A kind of work. Its module exports it as `workerJob`, so that a thread can load it by its address; plans, jobs and results
 * are plain data then.
 */
export interface WorkerJob<Plan, Job, Result> {
  /** Address of the module. */
  readonly module: string;
  /**
   * Makes ready for jobs.
   *
   * @param tell hears how much of a job is done, in the trade's own measure
   */
  open(
    compute: Compute,
    plan: Plan,
    tell: (amount: number) => void,
  ): Promise<PoolWorker<Job, Result>>;
}

/**
 * As many lanes as use a back end best. A single one works in this thread with `compute` itself; several are threads with
 * a compute of one thread each, for a run of ONNX Runtime or TensorFlow.js holds up the thread that asks for it.
 */
export function openWorkerPool<Plan, Job, Result>(
  job: WorkerJob<Plan, Job, Result>,
  compute: Compute,
  plan: Plan,
  tell: (amount: number) => void = () => {},
): WorkerPool<Job, Result> {
  const { lanes, name } = compute;
  if (lanes === 1) return new WorkerPool(1, () => job.open(compute, plan, tell));
  return new WorkerPool(lanes, () =>
    openThread<Job, Result>({ module: job.module, backend: name, plan }, tell),
  );
}
