/** Calls from the main thread to an engine in a worker thread. */
import type { Worker } from 'node:worker_threads';
import { Mutex } from '../../platform/queues.ts';
import { WorkerRpc } from '../../platform/worker-rpc.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import type { BackendName, PatchStore, TransferredPatch } from '../backend.ts';
import type { NoBackendError, SkippedEngine } from '../choose-backend.ts';
import { type Engine, EngineError, type EngineInfo, type PatchId } from '../engine.ts';

/** Start options of a worker thread, passed as its `workerData`. */
export interface WorkerStart {
  readonly backend: BackendName | 'auto';
  readonly models: readonly Model[];
}

/**
 * The message that a worker thread sends when it has started. A worker that cannot start throws a
 * `NoBackendError`.
 */
export interface Started {
  readonly info: EngineInfo;
  readonly skipped: readonly SkippedEngine[];
}

/** An engine that runs in one worker thread. `take` and `put` move patches to another thread. */
export interface ThreadEngine extends Engine {
  /**
   * Removes patches from this thread, and returns them, so that another thread's `put` can add
   * them.
   *
   * @throws EngineError 'unknown-patch'
   */
  take(patches: readonly PatchId[]): Promise<TransferredPatch[]>;
  /** Adds patches that another thread's `take` returned. */
  put(patches: readonly TransferredPatch[]): Promise<void>;
}

/** The methods of a worker thread. Calls are answered in the order in which they are made. */
export type WorkerMethods = Omit<ThreadEngine, 'info' | 'close'>;
const CALLS = ['plant', 'step', 'exportStates', 'importStates', 'dispose', 'take', 'put'] as const;

const eachMethod = (make: (method: keyof WorkerMethods) => (argument: never) => unknown) =>
  Object.fromEntries(CALLS.map((method) => [method, make(method)])) as unknown as WorkerMethods;

/**
 * Wraps a patch store's methods so that calls are answered in the order in which they are made.
 * Unless the store is pipelined, a call runs only when the earlier calls have ended.
 */
export function inOrder(store: PatchStore): WorkerMethods {
  const mutex = new Mutex();
  return eachMethod((method) => {
    const call = store[method] as (argument: unknown) => unknown;
    return (argument: unknown): Promise<unknown> => {
      const perform = async (): Promise<unknown> => call(argument);
      const early = store.pipelined ? perform() : undefined;
      // `early` may fail before the mutex awaits it. Mark the failure as handled here;
      // `runExclusive` still reports it to the caller.
      early?.catch(() => {});
      return mutex.runExclusive(() => early ?? perform());
    };
  });
}

/**
 * Waits until a worker thread has started, and returns an engine whose methods call the worker. If
 * the worker dies, all pending and later calls fail with EngineError 'failed'.
 *
 * @param onSkipped see `EngineOptions.onSkipped`
 * @throws EngineError 'unavailable' if the worker does not start
 */
export async function attachEngine(
  worker: Worker,
  onSkipped?: (skipped: readonly SkippedEngine[]) => void,
): Promise<ThreadEngine> {
  const rpc = new WorkerRpc<WorkerMethods, Started>(worker, {
    errors: { EngineError },
    otherwise: ({ message }) => new EngineError('failed', message),
    onDeath: ({ cause, why }) =>
      new EngineError('failed', cause === 'threw' ? why : `the engine's thread ${why}`),
  });
  const { info, skipped } = await rpc.ready.catch(
    (error: EngineError & Partial<NoBackendError>) => {
      onSkipped?.(error.skipped ?? []);
      throw error.reason === 'failed' ? new EngineError('unavailable', error.detail) : error;
    },
  );
  onSkipped?.(skipped);
  return {
    info,
    ...eachMethod((method) => (argument) => rpc.call(method, argument)),
    close: () => rpc.close(new EngineError('closed')),
  };
}
