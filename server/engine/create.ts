/** An engine in threads of its own, so that steps never hold up the sockets. */
import { Worker } from 'node:worker_threads';
import type { Model } from '../vnca/checkpoint.ts';
import type { BackendName, PassedOver } from './backend.ts';
import type { Engine, EngineLoss } from './engine.ts';
import './onnx/noTelemetry.ts';
import { lastingThread } from './thread/lasting.ts';
import type { WorkerStart } from './thread/protocol.ts';
import { shareOut } from './thread/shares.ts';
import { attachEngine, type Hearing, type ThreadEngine } from './thread/workerEngine.ts';

export interface EngineOptions {
  /** Patches name their checkpoint by its card's name. */
  readonly checkpoints: readonly Model[];
  /** 'auto' (the default) takes the best that works here. */
  readonly backend?: BackendName | 'auto';
  /** Threads at most; default: as many as the backend has use for. */
  readonly lanes?: number;
  /** Hears once, before the engine is there or known to be unavailable, what was passed over and why. */
  readonly onPassed?: (passed: readonly PassedOver[]) => void;
  /** Hears of each thread and each GPU that was lost, before its patches are put back. */
  readonly onLoss?: (loss: EngineLoss) => void;
  /** Starts a thread; given by tests. */
  readonly spawn?: (start: WorkerStart) => Worker;
}

/** Starts a thread of an engine. */
export const spawnThread = (workerData: WorkerStart): Worker =>
  new Worker(new URL('./thread/worker.mjs', import.meta.url), { workerData, name: 'engine' });

/**
 * Starts the engine's thread, or as many as its backend has use for, and waits until they can step. One that dies later is
 * replaced, and its patches go on where they were.
 *
 * @throws EngineError unavailable: no wanted backend works, or two checkpoints have one name
 */
export async function createEngine({
  checkpoints,
  backend = 'auto',
  lanes: most = Infinity,
  onPassed,
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
  const start = (wanted: BackendName | 'auto', hearing: Hearing = {}): Promise<ThreadEngine> =>
    attachEngine(spawn({ backend: wanted, models }), { onDeviceLoss: onLossOf('gpu'), ...hearing });
  let tried = 0;
  const first = await start(backend, {
    onPassed: (passed) => {
      tried = passed.length;
      onPassed?.(passed);
    },
  });
  const chosen = first.info.name as BackendName;
  const lanes = Math.min(first.lanes, most);
  // Libraries that were tried in vain stay in a thread's memory, and make each of its garbage collections longer: one of
  // several threads, which start together anyway, is better started anew.
  const kept = tried > 0 && lanes > 1 ? [] : [first];
  const others = await Promise.allSettled(
    Array.from({ length: lanes - kept.length }, () => start(chosen)),
  );
  // One that did not start is missed, but not needed.
  const started = others.flatMap((other) => (other.status === 'fulfilled' ? [other.value] : []));
  if (kept.length + started.length === 0) kept.push(first);
  else if (kept.length === 0) await first.close();
  const threads = await Promise.all(
    [...kept, ...started].map((thread) =>
      lastingThread(thread, { restart: () => start(chosen), onLoss: onLossOf('thread') }),
    ),
  );
  if (threads.length === 1) return threads[0];
  return shareOut(
    threads,
    checkpoints.map(({ card }) => card),
  );
}
