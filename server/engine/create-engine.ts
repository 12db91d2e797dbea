/** An engine in threads of its own, so that steps never hold up the sockets. */
import { Worker } from 'node:worker_threads';
import type { Model } from '../vnca/checkpoint.ts';
import type { BackendName } from './backend.ts';
import { expectedThreads, fallbacksFor, type SkippedEngine, threadsFor } from './backends.ts';
import { SAVE_EVERY, SAVE_GPU_EVERY } from './core/state-checkpoint.ts';
import type { Engine, EngineLoss } from './engine.ts';
import './onnx/no-telemetry.ts';
import { Fallback } from './thread/fallback.ts';
import type { WorkerStart } from './thread/protocol.ts';
import { recoveringThread } from './thread/recovering-thread.ts';
import { shardAcross } from './thread/sharding.ts';
import { attachEngine, type ThreadEngine, type ThreadListeners } from './thread/worker-engine.ts';

export interface EngineOptions {
  /** Patches name their checkpoint by its card's name. */
  readonly checkpoints: readonly Model[];
  /** 'auto' (the default) takes the best that works here. */
  readonly backend?: BackendName | 'auto';
  /** Threads at most; default: as many as the backend has use for. */
  readonly threads?: number;
  /** Hears once, before the engine is there or known to be unavailable, what was passed over and why. */
  readonly onSkipped?: (passed: readonly SkippedEngine[]) => void;
  /** Hears of each thread and each GPU that was lost, before its patches are put back. */
  readonly onLoss?: (loss: EngineLoss) => void;
  /** Starts a thread; given by tests. */
  readonly spawn?: (start: WorkerStart) => Worker;
}

/** Losses of its GPU within a minute that a thread gets over by itself, where something else may take its place. */
const MOST_DEVICE_LOSSES = 2;

/** Starts a thread of an engine. */
export const spawnThread = (workerData: WorkerStart): Worker =>
  new Worker(new URL('./thread/worker.mjs', import.meta.url), { workerData, name: 'engine' });

/**
 * Starts the engine's thread, or as many as its backend has use for, and waits until they can step. One that dies later is
 * replaced, and its patches go on where they were; a GPU that 'auto' took and that does not come back is replaced by the CPU.
 *
 * @throws EngineError unavailable: no wanted backend works, or two checkpoints have one name
 */
export async function createEngine({
  checkpoints,
  backend = 'auto',
  threads: most = Infinity,
  onSkipped: onPassed,
  onLoss,
  spawn = spawnThread,
}: EngineOptions): Promise<Engine> {
  // Encoder and gallery stay here: threads only step.
  const models = checkpoints.map(({ card, tensors }) => ({
    card,
    tensors: new Map([...tensors].filter(([name]) => name.startsWith('update.'))),
  }));
  const losses = { thread: 0, gpu: 0 };
  const onLossOf = (what: EngineLoss['what']) => (why: string) =>
    onLoss?.({ what, why, count: ++losses[what] });
  const successors = new Set<Fallback>();
  const onDeviceLoss = (why: string): void => {
    for (const successor of successors) successor.recordLoss();
    onLossOf('gpu')(why);
  };
  const mayGiveWay = backend === 'auto';
  const start = (
    wanted: BackendName | 'auto',
    hearing: ThreadListeners = {},
  ): Promise<ThreadEngine> => {
    const mostLosses = mayGiveWay ? { mostDeviceLosses: MOST_DEVICE_LOSSES } : {};
    const thread = spawn({ backend: wanted, models, ...mostLosses });
    return attachEngine(thread, { onDeviceLoss, ...hearing });
  };
  // All at once, where it is plain what will be taken: each thread takes its second to start.
  const [first, ...others] = await startAll(
    Array.from({ length: Math.min(expectedThreads(backend), most) }, (_, i) =>
      start(backend, i === 0 ? { onSkipped: onPassed } : {}),
    ),
  );
  const chosen = first.info.name as BackendName;
  const lanes = Math.min(threadsFor(chosen), most);
  const kept: ThreadEngine[] = [];
  for (const thread of [first, ...others]) {
    // One of several threads that has loaded in vain is better started anew.
    const isGood = thread.info.name === chosen && !(thread.hasUnusedLibraries && lanes > 1);
    if (isGood && kept.length < lanes) kept.push(thread);
    else if (thread !== first) await thread.close();
  }
  const more = await Promise.allSettled(
    Array.from({ length: lanes - kept.length }, () => start(chosen)),
  );
  // One that did not start is missed, but not needed.
  kept.push(...more.flatMap((other) => (other.status === 'fulfilled' ? [other.value] : [])));
  if (kept.length === 0) kept.push(first);
  else if (!kept.includes(first)) await first.close();
  const threads = await Promise.all(
    kept.map((thread) => {
      const isGpu = first.info.device.startsWith('GPU');
      const successor = new Fallback({
        start,
        chosen,
        alternatives: mayGiveWay && isGpu ? fallbacksFor(chosen) : [],
        onFallback: (instead, why) =>
          onLoss?.({ what: 'gpu', why, count: Math.max(1, losses.gpu), replacement: instead }),
      });
      successors.add(successor);
      return recoveringThread(thread, {
        restart: () => successor.next(),
        onLoss: onLossOf('thread'),
        saveEvery: chosen.startsWith('webgpu') ? SAVE_GPU_EVERY : SAVE_EVERY,
      });
    }),
  );
  if (threads.length === 1) return threads[0];
  return shardAcross(
    threads,
    checkpoints.map(({ card }) => card),
  );
}

/** @returns those that have started, the first of all first @throws as the first did; the others are closed then */
async function startAll(
  starting: readonly Promise<ThreadEngine>[],
): Promise<[ThreadEngine, ...ThreadEngine[]]> {
  const [first, ...others] = await Promise.allSettled(starting);
  const started = others.flatMap((other) => (other.status === 'fulfilled' ? [other.value] : []));
  if (first.status === 'fulfilled') return [first.value, ...started];
  for (const thread of started) await thread.close();
  throw first.reason;
}
