/** An engine in threads of its own, so that steps never hold up the sockets. */
import { Worker } from 'node:worker_threads';
import type { Model } from '../vnca/checkpoint.ts';
import type { BackendName, PassedOver } from './backend.ts';
import type { Engine } from './engine.ts';
import type { WorkerStart } from './thread/protocol.ts';
import { shareOut } from './thread/shares.ts';
import { attachEngine, type ThreadEngine } from './thread/workerEngine.ts';

export interface EngineOptions {
  /** Patches name their checkpoint by its card's name. */
  readonly checkpoints: readonly Model[];
  /** 'auto' (the default) takes the best that works here. */
  readonly backend?: BackendName | 'auto';
  /** Threads at most; default: as many as the backend has use for. */
  readonly lanes?: number;
  /** Hears once, before the engine is there or known to be unavailable, what was passed over and why. */
  readonly onPassed?: (passed: readonly PassedOver[]) => void;
}

/**
 * Starts the engine's thread, or as many as its backend has use for, and waits until they can step.
 *
 * @throws EngineError unavailable: no wanted backend works, or two checkpoints have one name
 */
export async function createEngine({
  checkpoints,
  backend = 'auto',
  lanes: most = Infinity,
  onPassed,
}: EngineOptions): Promise<Engine> {
  // Encoder and gallery stay here: threads only step.
  const models = checkpoints.map(({ card, tensors }) => ({
    card,
    tensors: new Map([...tensors].filter(([name]) => name.startsWith('update.'))),
  }));
  const start = (
    workerData: WorkerStart,
    hear?: EngineOptions['onPassed'],
  ): Promise<ThreadEngine> =>
    attachEngine(
      new Worker(new URL('./thread/worker.mjs', import.meta.url), { workerData, name: 'engine' }),
      hear,
    );
  const first = await start({ backend, models }, onPassed);
  const lanes = Math.min(first.lanes, most);
  if (lanes === 1) return first;
  const chosen = first.info.name as BackendName;
  const others = await Promise.allSettled(
    Array.from({ length: lanes - 1 }, () => start({ backend: chosen, models })),
  );
  // One that did not start is missed, but not needed.
  const threads = [
    first,
    ...others.flatMap((other) => (other.status === 'fulfilled' ? [other.value] : [])),
  ];
  return shareOut(
    threads,
    checkpoints.map(({ card }) => card),
  );
}
