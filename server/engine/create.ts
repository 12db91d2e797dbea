/** An engine in a thread of its own, so that steps never hold up the sockets. */
import { Worker } from 'node:worker_threads';
import type { Model } from '../vnca/checkpoint.ts';
import type { BackendName, PassedOver } from './backend.ts';
import type { Engine } from './engine.ts';
import type { WorkerStart } from './thread/protocol.ts';
import { attachEngine } from './thread/workerEngine.ts';

export interface EngineOptions {
  /** Patches name their checkpoint by its card's name. */
  readonly checkpoints: readonly Model[];
  /** 'auto' (the default) takes the best that works here. */
  readonly backend?: BackendName | 'auto';
  /** Hears once, before the engine is there or known to be unavailable, what was passed over and why. */
  readonly onPassed?: (passed: readonly PassedOver[]) => void;
}

/**
 * Starts the engine's thread and waits until it can step.
 *
 * @throws EngineError unavailable: no wanted backend works, or two checkpoints have one name
 */
export function createEngine({
  checkpoints,
  backend = 'auto',
  onPassed,
}: EngineOptions): Promise<Engine> {
  const start: WorkerStart = {
    backend,
    // Encoder and gallery stay here: the thread only steps.
    models: checkpoints.map(({ card, tensors }) => ({
      card,
      tensors: new Map([...tensors].filter(([name]) => name.startsWith('update.'))),
    })),
  };
  return attachEngine(
    new Worker(new URL('./thread/worker.mjs', import.meta.url), {
      workerData: start,
      name: 'engine',
    }),
    onPassed,
  );
}
