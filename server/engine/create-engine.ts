/** Creates an engine that runs in threads of its own, so that steps do not delay the sockets. */
import { Worker } from 'node:worker_threads';
import { FEW_OBJECTS } from '../platform/worker-rpc.ts';
import type { Model } from '../vnca/checkpoint.ts';
import type { BackendName } from './backend.ts';
import {
  expectedBackend,
  NoBackendError,
  prepareBackend,
  type SkippedEngine,
  threadsFor,
} from './backends.ts';
import { SAVE_EVERY, SAVE_GPU_EVERY } from './core/recovery.ts';
import type { Engine, EngineLoss } from './engine.ts';
import './onnx/no-telemetry.ts';
import {
  attachEngine,
  type ThreadEngine,
  type ThreadListeners,
  type WorkerStart,
} from './thread/protocol.ts';
import { Fallback, recoveringThread } from './thread/recovering-thread.ts';
import { shardAcross } from './thread/sharding.ts';

/** Options of `createEngine`. */
export interface EngineOptions {
  /** Patches refer to a checkpoint by the name in its card. */
  readonly checkpoints: readonly Model[];
  /** 'auto' (the default) selects the best that works here. */
  readonly backend?: BackendName | 'auto';
  /** Maximum number of threads; default: as many as the backend can use. */
  readonly threads?: number;
  /**
   * Called once, before `createEngine` resolves or rejects, with the backends that were skipped.
   */
  readonly onSkipped?: (skipped: readonly SkippedEngine[]) => void;
  /** Called for each lost thread or GPU, before its patches are restored. */
  readonly onLoss?: (loss: EngineLoss) => void;
  /** Starts a thread; tests pass their own. */
  readonly spawn?: (start: WorkerStart) => Worker;
}

/** What works where a GPU, its driver, or what a compiler has made fails. */
const FALLBACK = 'onnx';
/** GPU losses within a minute that a thread recovers from, if another backend may replace it. */
const MAX_DEVICE_LOSSES = 2;

/** Starts an engine's worker thread. */
export const spawnThread = (workerData: WorkerStart): Worker =>
  new Worker(new URL('./thread/worker.mjs', import.meta.url), {
    workerData,
    name: 'engine',
    resourceLimits: FEW_OBJECTS,
  });

/**
 * Starts as many threads as the backend can use and waits until they are ready. A thread that dies
 * later is replaced, and its patches continue where they were. If the backend that 'auto' selected
 * does not return after a loss, `FALLBACK` replaces it.
 *
 * @throws EngineError unavailable: no wanted backend works, or two checkpoints have the same name
 */
export async function createEngine({
  checkpoints,
  backend = 'auto',
  threads: maxThreads = Infinity,
  onSkipped,
  onLoss,
  spawn = spawnThread,
}: EngineOptions): Promise<Engine> {
  // Threads need neither encoder nor gallery.
  const models = checkpoints.map(({ card, tensors }) => ({
    card,
    tensors: new Map([...tensors].filter(([name]) => name.startsWith('update.'))),
  }));
  const losses = { thread: 0, gpu: 0 };
  const onLossOf = (what: EngineLoss['what']) => (why: string) =>
    onLoss?.({ what, why, count: ++losses[what] });
  const fallbacks = new Set<Fallback>();
  const onDeviceLoss = (why: string): void => {
    for (const fallback of fallbacks) fallback.recordLoss();
    onLossOf('gpu')(why);
  };
  const isAuto = backend === 'auto';
  const prepared = await prepareExpected(backend).catch((error: unknown) => {
    if (error instanceof NoBackendError) onSkipped?.(error.skipped);
    throw error;
  });
  const start = (
    wanted: BackendName | 'auto',
    listeners: ThreadListeners = {},
  ): Promise<ThreadEngine> => {
    const limit = isAuto ? { maxDeviceLosses: MAX_DEVICE_LOSSES } : {};
    const thread = spawn({ backend: wanted, models, ...prepared, ...limit });
    return attachEngine(thread, { onDeviceLoss, ...listeners });
  };
  const expected = expectedBackend(backend, prepared);
  // All at once if the backend is already known: each thread takes about a second to start.
  const [first, ...others] = await startAll(
    Array.from({ length: Math.min(expected ? threadsFor(expected) : 1, maxThreads) }, (_, i) =>
      start(backend, i === 0 ? { onSkipped } : {}),
    ),
  );
  const chosen = first.info.name as BackendName;
  const threadCount = Math.min(threadsFor(chosen), maxThreads);
  const started: ThreadEngine[] = [];
  for (const thread of [first, ...others]) {
    if (thread.info.name === chosen && started.length < threadCount) started.push(thread);
    else await thread.close();
  }
  const more = await Promise.allSettled(
    Array.from({ length: threadCount - started.length }, () => start(chosen)),
  );
  // The engine also works with fewer threads.
  started.push(...valuesOf(more));
  const threads = await Promise.all(
    started.map((thread) => {
      const isGpu = first.info.device.startsWith('GPU');
      const fallback = new Fallback({
        start,
        chosen,
        ...(isAuto && chosen !== FALLBACK && { alternative: FALLBACK }),
        onFallback: (replacement, why) => {
          const what = isGpu ? 'gpu' : 'thread';
          onLoss?.({ what, why, count: Math.max(1, losses[what]), replacement });
        },
      });
      fallbacks.add(fallback);
      return recoveringThread(thread, {
        restart: () => fallback.next(),
        onLoss: onLossOf('thread'),
        saveEvery: chosen === 'webgpu' ? SAVE_GPU_EVERY : SAVE_EVERY,
      });
    }),
  );
  if (threads.length === 1) return threads[0];
  return shardAcross(
    threads,
    checkpoints.map(({ card }) => card),
  );
}

/**
 * Prepares the backend that will be selected, if that is known.
 *
 * @returns what it is passed, or those that 'auto' shall skip, as they cannot be prepared
 * @throws NoBackendError a backend that was chosen by name cannot be prepared
 */
async function prepareExpected(
  wanted: BackendName | 'auto',
): Promise<Pick<WorkerStart, 'prepared' | 'excluded'>> {
  const expected = expectedBackend(wanted);
  try {
    const prepared = expected && (await prepareBackend(expected));
    return prepared === undefined ? {} : { prepared };
  } catch (error) {
    if (wanted !== 'auto' || !(error instanceof NoBackendError)) throw error;
    return { excluded: error.skipped };
  }
}

/**
 * Resolves to the threads that have started.
 *
 * @throws the first thread's error, after closing the others
 */
async function startAll(
  starting: readonly Promise<ThreadEngine>[],
): Promise<[ThreadEngine, ...ThreadEngine[]]> {
  const [first, ...others] = await Promise.allSettled(starting);
  const started = valuesOf(others);
  if (first.status === 'fulfilled') return [first.value, ...started];
  for (const thread of started) await thread.close();
  throw first.reason;
}

const valuesOf = <T>(settled: readonly PromiseSettledResult<T>[]): T[] =>
  settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
