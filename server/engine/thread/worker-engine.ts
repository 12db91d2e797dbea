/** The engine's contract over a worker's message port. */
import type { Worker } from 'node:worker_threads';
import { WorkerRpc } from '../../platform/worker-rpc.ts';
import type { TransferredPatch } from '../backend.ts';
import type { NoBackendError, SkippedEngine } from '../backends.ts';
import { type Engine, EngineError, type PatchId } from '../engine.ts';
import type { EngineMethods, Started, WorkerMethods } from './protocol.ts';

/** What a thread says unasked. */
export interface ThreadListeners {
  /** As `EngineOptions.onPassed`. */
  readonly onSkipped?: ((passed: readonly SkippedEngine[]) => void) | undefined;
  /** Its device was lost, why, and another is sought. */
  readonly onDeviceLoss?: ((why: string) => void) | undefined;
}

/** An engine of one thread, which may be one of several that share the patches. */
export interface ThreadEngine extends Engine {
  /** Libraries were loaded in vain, and make each of its garbage collections longer. */
  readonly hasUnusedLibraries: boolean;
  /** Gives patches away. @throws EngineError unknown-patch */
  take(patches: readonly PatchId[]): Promise<TransferredPatch[]>;
  /** Takes over what another thread gave away. */
  put(patches: readonly TransferredPatch[]): Promise<void>;
}

/**
 * Waits for a worker's first message and speaks for it from then on. When the worker dies, every call that waits and
 * every later one fails with `failed`.
 *
 * @throws EngineError unavailable
 */
export async function attachEngine(
  worker: Worker,
  { onSkipped: onPassed, onDeviceLoss }: ThreadListeners = {},
): Promise<ThreadEngine> {
  const rpc = new WorkerRpc<WorkerMethods, Started, EngineMethods>(worker, {
    methods: { lost: (why) => onDeviceLoss?.(why) },
    errors: { EngineError },
    otherwise: ({ message }) => new EngineError('failed', message),
    onDeath: ({ cause, why }) =>
      new EngineError('failed', cause === 'threw' ? why : `the engine's thread ${why}`),
  });
  let started: Started;
  try {
    started = await rpc.ready;
  } catch (error) {
    const { reason, detail, skipped: passed = [] } = error as EngineError & Partial<NoBackendError>;
    onPassed?.(passed);
    throw reason === 'failed' ? new EngineError('unavailable', detail) : error;
  }
  const { info, hasUnusedLibraries: inVain, skipped: passed } = started;
  onPassed?.(passed);

  return {
    info,
    hasUnusedLibraries: inVain,
    plant: async (patches) =>
      rpc.call(
        'plant',
        patches.map((patch) => ({ ...patch, latent: alone(patch.latent) })),
      ),
    step: async (steps) =>
      rpc.call(
        'step',
        steps.map((step) => (step.keep ? { ...step, keep: alone(step.keep) } : step)),
      ),
    exportStates: async (patches) => rpc.call('exportStates', patches),
    importStates: async (states) =>
      rpc.call(
        'importStates',
        states.map(({ patch, state }) => ({ patch, state: alone(state) })),
      ),
    dispose: async (patches) => rpc.call('dispose', patches),
    take: async (patches) => rpc.call('take', patches),
    put: async (patches) => rpc.call('put', patches),
    close: () => rpc.close(new EngineError('closed')),
  };
}

/** Posting a view takes the whole buffer behind it along, so a small view is copied out first. */
function alone<T extends Float32Array | Uint8Array>(view: T): T {
  return view.byteLength === view.buffer.byteLength ? view : (view.slice() as T);
}
