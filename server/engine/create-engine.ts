/**
 * Creates an engine that runs in worker threads, so that its work does not delay the server's
 * connections.
 */
import { Worker } from 'node:worker_threads';
import { FEW_OBJECTS } from '../platform/worker-rpc.ts';
import type { Model } from '../vnca/checkpoint.ts';
import type { BackendName } from './backend.ts';
import { CANDIDATES, expectedBackend, type SkippedEngine, threadsFor } from './choose-backend.ts';
import type { Engine, EngineLoss } from './engine.ts';
import './onnx/no-telemetry.ts';
import { attachEngine, type ThreadEngine, type WorkerStart } from './thread/protocol.ts';
import { recoveringThread, SAVE_EVERY, SAVE_GPU_EVERY } from './thread/recovering-thread.ts';
import { shardAcross } from './thread/sharding.ts';

export interface EngineOptions {
  /** Models to load. Patches refer to a model by its name (`card.name`). */
  readonly checkpoints: readonly Model[];
  /**
   * Backend to use. 'auto' selects the most preferred backend that works on this machine. Default:
   * 'auto'.
   */
  readonly backend?: BackendName | 'auto';
  /** Maximum number of threads. Default: the number that is recommended for the backend. */
  readonly threads?: number;
  /** Called with the skipped backends, at most once, before `createEngine` resolves or rejects. */
  readonly onSkipped?: (skipped: readonly SkippedEngine[]) => void;
  /**
   * Called when a thread or GPU is lost, and again if the engine then changes to another backend.
   */
  readonly onLoss?: (loss: EngineLoss) => void;
  /** Starts a worker thread. Default: `spawnThread`. */
  readonly spawn?: (start: WorkerStart) => Worker;
}

/**
 * Backend that replaces a failed backend. It needs no GPU, no GPU driver and no compiled kernel.
 */
const FALLBACK = 'onnx';
export const spawnThread = (workerData: WorkerStart): Worker =>
  new Worker(new URL('./thread/worker.mjs', import.meta.url), {
    workerData,
    name: 'engine',
    resourceLimits: FEW_OBJECTS,
  });

type Start = (
  wanted: BackendName | 'auto',
  onSkipped?: EngineOptions['onSkipped'],
) => Promise<ThreadEngine>;

/**
 * Starts the engine's threads and waits until they are ready. If a thread dies or loses its GPU, a
 * new thread continues the patches from the same states. With 'auto', `FALLBACK` replaces a backend
 * that fails repeatedly or cannot be restarted.
 *
 * @throws EngineError 'unavailable' if no wanted backend works, or if two checkpoints have the same
 *   name
 */
export async function createEngine({
  checkpoints,
  backend = 'auto',
  threads: maxThreads = Infinity,
  onSkipped,
  onLoss,
  spawn = spawnThread,
}: EngineOptions): Promise<Engine> {
  // Send only the tensors of the update net, because the threads need no others.
  const models = checkpoints.map(({ card, tensors }) => ({
    card,
    tensors: new Map([...tensors].filter(([name]) => name.startsWith('update.'))),
  }));
  const start: Start = (wanted, onSkipped) =>
    attachEngine(spawn({ backend: wanted, models }), onSkipped);
  const started = await startThreads(backend, maxThreads, start, onSkipped);
  const [{ info }] = started;
  const losses = { thread: 0, gpu: 0 };
  const threads = started.map((thread) =>
    recoveringThread(thread, {
      start,
      ...(backend === 'auto' && { alternative: FALLBACK }),
      onLoss: (what, why) => onLoss?.({ what, why, count: ++losses[what] }),
      onFallback: (replacement, why) => {
        const what = info.device.startsWith('GPU') ? 'gpu' : 'thread';
        onLoss?.({ what, why, count: Math.max(1, losses[what]), replacement });
      },
      saveEvery: info.name === 'webgpu' ? SAVE_GPU_EVERY : SAVE_EVERY,
    }),
  );
  if (threads.length === 1) return threads[0];
  return shardAcross(
    threads,
    checkpoints.map(({ card }) => card),
  );
}

/**
 * Starts the threads of the first backend that works. Returns at least one thread, but possibly
 * fewer than wanted.
 *
 * @throws EngineError 'unavailable' if the first thread does not start
 */
async function startThreads(
  backend: BackendName | 'auto',
  maxThreads: number,
  start: Start,
  onSkipped: EngineOptions['onSkipped'],
): Promise<ThreadEngine[]> {
  const expected = expectedBackend(backend);
  if (expected) await CANDIDATES[expected].prepare?.();
  // If the backend can be predicted, start all threads at the same time. Otherwise, start one
  // thread first, to find out which backend works.
  const [first, ...others] = await Promise.allSettled(
    Array.from({ length: Math.min(expected ? threadsFor(expected) : 1, maxThreads) }, (_, i) =>
      start(backend, i === 0 ? onSkipped : undefined),
    ),
  );
  if (first.status === 'rejected') {
    for (const thread of valuesOf(others)) await thread.close();
    throw first.reason;
  }
  const { name } = first.value.info;
  const wanted = Math.min(threadsFor(name as BackendName), maxThreads);
  const started: ThreadEngine[] = [];
  for (const thread of [first.value, ...valuesOf(others)]) {
    if (thread.info.name === name && started.length < wanted) started.push(thread);
    else await thread.close();
  }
  const more = Array.from({ length: wanted - started.length }, () => start(name as BackendName));
  return [...started, ...valuesOf(await Promise.allSettled(more))];
}

const valuesOf = <T>(settled: readonly PromiseSettledResult<T>[]): T[] =>
  settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
