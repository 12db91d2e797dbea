/** The engine's contract over a worker's message port. */
import type { Worker } from 'node:worker_threads';
import type { PassedOver } from '../backend.ts';
import type { Carried } from '../core/patchStore.ts';
import { type Engine, EngineError, type EngineInfo, type PatchId } from '../engine.ts';
import type { Arguments, Failure, Method, Reply, Request, Result } from './protocol.ts';

interface Pending {
  resolve(result: unknown): void;
  reject(error: EngineError): void;
}

/** What a thread says unasked. */
export interface Hearing {
  /** As `EngineOptions.onPassed`. */
  readonly onPassed?: ((passed: readonly PassedOver[]) => void) | undefined;
  /** Its device was lost, why, and another is sought. */
  readonly onDeviceLoss?: ((why: string) => void) | undefined;
}

/** An engine of one thread, which may be one of several that share the patches. */
export interface ThreadEngine extends Engine {
  /** Libraries were loaded in vain, and make each of its garbage collections longer. */
  readonly inVain: boolean;
  /** Gives patches away. @throws EngineError unknown-patch */
  take(patches: readonly PatchId[]): Promise<Carried[]>;
  /** Takes over what another thread gave away. */
  put(patches: readonly Carried[]): Promise<void>;
}

/**
 * Waits for a worker's first message and speaks for it from then on. When the worker dies, every call that waits and
 * every later one fails with `failed`.
 *
 * @throws EngineError unavailable
 */
export async function attachEngine(
  worker: Worker,
  { onPassed, onDeviceLoss }: Hearing = {},
): Promise<ThreadEngine> {
  const pending = new Map<number, Pending>();
  let calls = 0;
  let end: EngineError | undefined;
  let ready: Pending | undefined;

  const fail = (reason: 'failed' | 'closed', detail = ''): void => {
    end ??= new EngineError(reason, detail);
    ready?.reject(new EngineError('unavailable', detail));
    for (const waiting of pending.values()) waiting.reject(end);
    pending.clear();
  };
  worker.on('error', (error) => fail('failed', error.message));
  worker.on('exit', (code) => fail('failed', `the engine's thread ended with code ${code}`));
  type Ready = { readonly info: EngineInfo; readonly inVain: boolean };
  const { info, inVain } = await new Promise<Ready>((resolve, reject) => {
    ready = { resolve: (result) => resolve(result as Ready), reject };
    worker.on('message', (reply: Reply) => {
      if ('passed' in reply) onPassed?.(reply.passed);
      if ('info' in reply) ready?.resolve(reply);
      else if ('lost' in reply) onDeviceLoss?.(reply.lost);
      else if ('unavailable' in reply) ready?.reject(toError(reply.unavailable));
      else {
        const waiting = pending.get(reply.call);
        pending.delete(reply.call);
        if ('failure' in reply) waiting?.reject(toError(reply.failure));
        else waiting?.resolve(reply.result);
      }
    });
  }).catch(async (error: unknown) => {
    await worker.terminate();
    throw error;
  });
  ready = undefined;

  const ask = <M extends Method>(method: M, argument: Arguments<M>): Promise<Result<M>> =>
    new Promise((resolve, reject) => {
      if (end) throw end;
      const call = calls++;
      const request: Request<M> = { call, method, argument };
      worker.postMessage(request);
      pending.set(call, { resolve: resolve as Pending['resolve'], reject });
    });

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    // Calls that were made before are answered first.
    const last = end ? undefined : ask('dispose', []);
    end ??= new EngineError('closed');
    await last?.catch(() => undefined);
    await worker.terminate();
  };

  return {
    info,
    inVain,
    plant: async (patches) =>
      ask(
        'plant',
        patches.map((patch) => ({ ...patch, latent: alone(patch.latent) })),
      ),
    step: async (steps) =>
      ask(
        'step',
        steps.map((step) => (step.keep ? { ...step, keep: alone(step.keep) } : step)),
      ),
    exportStates: async (patches) => ask('exportStates', patches),
    importStates: async (states) =>
      ask(
        'importStates',
        states.map(({ patch, state }) => ({ patch, state: alone(state) })),
      ),
    dispose: async (patches) => ask('dispose', patches),
    take: async (patches) => ask('take', patches),
    put: async (patches) => ask('put', patches),
    close: () => (closing ??= close()),
  };
}

/** Posting a view takes the whole buffer behind it along, so a small view is copied out first. */
function alone<T extends Float32Array | Uint8Array>(view: T): T {
  return view.byteLength === view.buffer.byteLength ? view : (view.slice() as T);
}

function toError({ reason, detail }: Failure): EngineError {
  return new EngineError(reason, detail);
}
