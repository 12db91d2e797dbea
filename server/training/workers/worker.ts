/** A lane's thread: a trade behind a message port, with a compute of its own. */
import { workerData } from 'node:worker_threads';
import { serveWorker } from '../../platform/worker-rpc.ts';
import type { ComputeName } from '../autodiff/compute.ts';
import { createCompute } from '../autodiff/create.ts';
import type { WorkerJob } from './worker-job.ts';
import type { PoolWorker } from './worker-pool.ts';

/** The thread's `workerData`. */
export interface LaneStart {
  /** Address of the module whose `workerJob` the thread plies. */
  readonly module: string;
  readonly backend: ComputeName;
  readonly plan: unknown;
}

/** What the thread is asked. */
export type LaneMethods<Job, Result> = Pick<PoolWorker<Job, Result>, 'work'>;

/** What the thread says about a job. */
export interface LaneHearing {
  tell(amount: number): void;
}

await serveWorker<LaneMethods<unknown, unknown>, LaneHearing>(async (pool) => {
  const { module, backend, plan } = workerData as LaneStart;
  const { workerJob } = (await import(module)) as {
    workerJob: WorkerJob<unknown, unknown, unknown>;
  };
  const compute = await createCompute(backend, { threads: 1 });
  const lane = await workerJob.open(compute, plan, (amount) => pool.notify('tell', amount));
  return { methods: { work: (job) => lane.work(job) } };
});
