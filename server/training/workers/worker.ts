/** Entry point of a worker thread that runs training jobs. Each thread has its own back end. */
import { workerData } from 'node:worker_threads';
import { createCompute } from '../../autodiff/create.ts';
import { serveWorker } from '../../platform/worker-rpc.ts';
import type { WorkerJob, WorkerMethods, WorkerStart } from './worker-pool.ts';

await serveWorker<WorkerMethods<unknown, unknown>>(async () => {
  const { module, plan, backend } = workerData as WorkerStart;
  const { workerJob }: { workerJob: WorkerJob<unknown, unknown, unknown> } = await import(module);
  const worker = await workerJob.open(await createCompute(backend, { threads: 1 }), plan);
  return { methods: { work: (job) => worker.work(job) } };
});
