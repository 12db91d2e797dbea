/** A lane in a thread of its own. */
import { Worker } from 'node:worker_threads';
import '../../engine/onnx/no-telemetry.ts';
import { WorkerRpc } from '../../platform/worker-rpc.ts';
import { ComputeError } from '../autodiff/tfjs/errors.ts';
import { TrainingError } from '../errors.ts';
import type { LaneHearing, LaneMethods, LaneStart } from './worker.ts';
import type { PoolWorker } from './worker-pool.ts';

/**
 * Starts the thread and waits until it can work. A process may end while the thread has nothing to do.
 *
 * @param tell hears how much of a job is done
 * @throws what the trade's opening throws; TrainingError lost-thread: the thread has died, now or in a job
 */
export async function openThread<Job, Result>(
  start: LaneStart,
  tell: (amount: number) => void,
): Promise<PoolWorker<Job, Result>> {
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
    workerData: start,
    name: 'lane',
  });
  const rpc = new WorkerRpc<LaneMethods<Job, Result>, undefined, LaneHearing>(worker, {
    methods: { tell },
    errors: { TrainingError, ComputeError, RangeError },
    onDeath: ({ cause, why }) => {
      const how = cause === 'ended' ? `it ${why}` : why;
      return new TrainingError('lost-thread', `a thread of the training has died: ${how}`);
    },
    unref: true,
  });
  await rpc.ready;
  return {
    get lost() {
      return rpc.lost;
    },
    work: (job) => rpc.call('work', job) as Promise<Result>,
    close: () => rpc.close(new Error('the lane is closed')),
  };
}
