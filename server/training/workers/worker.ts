/** The inside of a worker thread: runs a worker job with a compute of its own. */
import { workerData } from 'node:worker_threads';
import { createCompute } from '../../autodiff/create.ts';
import { serveWorker } from '../../platform/worker-rpc.ts';
import type { WorkerEvents, WorkerJob, WorkerMethods, WorkerStart } from './worker-job.ts';

await serveWorker<WorkerMethods<unknown, unknown>, WorkerEvents>(async (parent) => {
  const { module, backend, plan } = workerData as WorkerStart;
  const { workerJob } = (await import(module)) as {
    workerJob: WorkerJob<unknown, unknown, unknown>;
  };
  const compute = await createCompute(backend, { threads: 1 });
  const worker = await workerJob.open(compute, plan, (amount) =>
    parent.notify('onProgress', amount),
  );
  return { methods: { work: (job) => worker.work(job) } };
});
