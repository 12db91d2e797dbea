/**
 * The program of an engine's worker thread. It answers the main thread's calls with a patch store.
 */
import { workerData } from 'node:worker_threads';
import { serveWorker } from '../../platform/worker-rpc.ts';
import { openStore } from '../choose-backend.ts';
import { inOrder, type Started, type WorkerMethods, type WorkerStart } from './protocol.ts';

await serveWorker<WorkerMethods, object, Started>(async () => {
  const { backend: wanted, models } = workerData as WorkerStart;
  const { backend, store, skipped } = await openStore(wanted, models);
  return { methods: inOrder(store), ready: { info: backend.info, skipped } };
});
