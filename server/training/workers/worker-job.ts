/**
 * What a worker thread does and how it is addressed; types alone, shared by both sides of the
 * thread.
 */
import type { Compute } from '../../autodiff/compute.ts';

/** Does one job after the other. */
export interface PoolWorker<Job, Result> {
  /** True when it can do no more jobs because its thread has died. */
  readonly lost?: boolean;
  work(job: Job): Promise<Result>;
  /** Ends it; does not throw. */
  close(): Promise<void>;
}

/**
 * A kind of work. Its module exports it as `workerJob`, so that a thread can load it by its URL;
 * plans, jobs and results are plain data that can be cloned.
 */
export interface WorkerJob<Plan, Job, Result> {
  /** URL of the module. */
  readonly module: string;
  /**
   * Prepares a worker for jobs.
   *
   * @param onProgress called with the amount of a job that is done, in a unit of the kind of work
   */
  open(
    compute: Compute,
    plan: Plan,
    onProgress: (amount: number) => void,
  ): Promise<PoolWorker<Job, Result>>;
}

/** The `workerData` of a thread. */
export interface WorkerStart {
  /** URL of the module whose `workerJob` the thread runs. */
  readonly module: string;
  readonly plan: unknown;
}

/** Methods that the main thread calls in a worker. */
export type WorkerMethods<Job, Result> = Pick<PoolWorker<Job, Result>, 'work'>;

/** Methods that a worker calls in the main thread. */
export interface WorkerEvents {
  onProgress(amount: number): void;
}
