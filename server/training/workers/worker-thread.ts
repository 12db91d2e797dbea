/** A worker in a thread of its own, seen from the main thread. */
import { Worker } from 'node:worker_threads';
import '../../engine/onnx/no-telemetry.ts';
import { WorkerRpc } from '../../platform/worker-rpc.ts';
import { ComputeError } from '../autodiff/tfjs/errors.ts';
import { TrainingError } from '../errors.ts';
import type { PoolWorker, WorkerEvents, WorkerMethods, WorkerStart } from './worker-job.ts';

/**
 * Starts a thread and waits until it can work. The process may end while the thread is idle.
 *
 * @param onProgress called with the amount of a job that is done
 * @throws what opening the worker job throws; TrainingError lost-thread: the thread died, now or in
 *   a job
 */
export async function openThread<Job, Result>(
  start: WorkerStart,
  onProgress: (amount: number) => void,
): Promise<PoolWorker<Job, Result>> {
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
    workerData: start,
    name: 'training',
  });
  const rpc = new WorkerRpc<WorkerMethods<Job, Result>, undefined, WorkerEvents>(worker, {
    methods: { onProgress },
    errors: { TrainingError, ComputeError, RangeError },
    onDeath: ({ cause, why }) => {
      const how = cause === 'ended' ? `it ${why}` : why;
      return new TrainingError('lost-thread', `a training thread died: ${how}`);
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
