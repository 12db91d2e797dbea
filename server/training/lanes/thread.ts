/** A lane in a thread of its own. */
import { Worker } from 'node:worker_threads';
import '../../engine/onnx/noTelemetry.ts';
import { TrainingError } from '../errors.ts';
import { errorOf } from './failure.ts';
import type { Lane } from './lanes.ts';
import type { LaneStart, Reply } from './protocol.ts';

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/**
 * Starts the thread and waits until it can work. A process may end while the thread has nothing to do.
 *
 * @param tell hears how much of a job is done
 * @throws what the trade's opening throws; TrainingError lost-thread: the thread has died, now or in a job
 */
export async function openThread<Job, Result>(
  start: LaneStart,
  tell: (amount: number) => void,
): Promise<Lane<Job, Result>> {
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
    workerData: start,
    name: 'lane',
  });
  let pending: Pending | undefined;
  let lost: TrainingError | undefined;

  const settle = (act: (waiting: Pending) => void): void => {
    const waiting = pending;
    pending = undefined;
    worker.unref();
    if (waiting) act(waiting);
  };
  const lose = (what: string): void => {
    lost ??= new TrainingError('lost-thread', `a thread of the training has died: ${what}`);
    const error = lost;
    settle(({ reject }) => reject(error));
  };
  worker.on('error', (error) => lose(error.message));
  worker.on('messageerror', (error) => lose(error.message));
  worker.on('exit', (code) => lose(`it ended with code ${code}`));
  worker.on('message', (reply: Reply) => {
    if ('told' in reply) tell(reply.told);
    else if ('ready' in reply) settle(({ resolve }) => resolve(undefined));
    else if ('result' in reply) settle(({ resolve }) => resolve(reply.result));
    else {
      const error = errorOf('unopened' in reply ? reply.unopened : reply.failure);
      settle(({ reject }) => reject(error));
    }
  });

  const close = async (): Promise<void> => void (await worker.terminate());
  try {
    await new Promise((resolve, reject) => {
      pending = { resolve, reject };
    });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    get lost() {
      return lost !== undefined;
    },
    work: (job) =>
      new Promise<Result>((resolve, reject) => {
        if (lost) throw lost;
        worker.postMessage(job);
        worker.ref();
        pending = { resolve: resolve as Pending['resolve'], reject };
      }),
    close,
  };
}
