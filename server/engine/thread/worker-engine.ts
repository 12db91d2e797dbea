/** The `Engine` contract over a worker's message port. */
import type { Worker } from 'node:worker_threads';
import { WorkerRpc } from '../../platform/worker-rpc.ts';
import type { TransferredPatch } from '../backend.ts';
import type { NoBackendError, SkippedEngine } from '../backends.ts';
import { type Engine, EngineError, type PatchId } from '../engine.ts';
import { type EngineMethods, eachMethod, type Started, type WorkerMethods } from './protocol.ts';
import { packSteps, unpackReadouts } from './step-messages.ts';

/** Listeners to a thread's events. */
export interface ThreadListeners {
  /** See `EngineOptions.onSkipped`. */
  readonly onSkipped?: ((skipped: readonly SkippedEngine[]) => void) | undefined;
  /** The thread's device was lost, for this reason, and is being reopened. */
  readonly onDeviceLoss?: ((why: string) => void) | undefined;
}

/** An engine in one thread, possibly one of several that share the patches. */
export interface ThreadEngine extends Engine {
  /** Removes patches, for another thread. @throws EngineError unknown-patch */
  take(patches: readonly PatchId[]): Promise<TransferredPatch[]>;
  /** Adds patches that another thread's `take` has returned. */
  put(patches: readonly TransferredPatch[]): Promise<void>;
}

type ThreadMethods = Pick<ThreadEngine, keyof WorkerMethods>;

/**
 * Waits until a worker has started and returns an engine over it. When the worker dies, every
 * pending and later call fails with `failed`.
 *
 * @throws EngineError unavailable
 */
export async function attachEngine(
  worker: Worker,
  { onSkipped, onDeviceLoss }: ThreadListeners = {},
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
    const { reason, detail, skipped = [] } = error as EngineError & Partial<NoBackendError>;
    onSkipped?.(skipped);
    throw reason === 'failed' ? new EngineError('unavailable', detail) : error;
  }
  const { info, skipped } = started;
  onSkipped?.(skipped);

  return {
    info,
    ...(eachMethod((method) => (argument) => rpc.call(method, argument)) as ThreadMethods),
    step: async (steps) => unpackReadouts(await rpc.call('step', packSteps(steps))),
    close: () => rpc.close(new EngineError('closed')),
  };
}
