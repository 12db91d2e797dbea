/** The engine's thread: a patch store behind a message port. Calls are made, and answered, in the order they come. */
import { parentPort, workerData } from 'node:worker_threads';
import { NoBackendError, openStore } from '../backend.ts';
import type { PatchStore } from '../core/patchStore.ts';
import { EngineError } from '../engine.ts';
import type { Failure, Reply, Request, WorkerStart } from './protocol.ts';

const port = parentPort!;

try {
  const { backend: wanted, models, mostDeviceLosses } = workerData as WorkerStart;
  const { backend, store, passed, inVain } = await openStore(
    wanted,
    models,
    (lost) => send({ lost }),
    mostDeviceLosses,
  );
  let last = Promise.resolve();
  port.on('message', (request: Request) => {
    const early = store.pipelined ? perform(store, request) : undefined;
    last = last.then(() => answer(request, early ?? perform(store, request)));
  });
  send({ info: backend.info, passed, inVain });
} catch (error) {
  const passed = error instanceof NoBackendError ? error.passed : [];
  send({ unavailable: failureOf(error, 'unavailable'), passed });
}

type Outcome = { readonly result: unknown } | { readonly error: unknown };

async function perform(store: PatchStore, { method, argument }: Request): Promise<Outcome> {
  try {
    return { result: await (store[method] as (argument: unknown) => unknown)(argument) };
  } catch (error) {
    return { error };
  }
}

async function answer({ call }: Request, pending: Promise<Outcome>): Promise<void> {
  const outcome = await pending;
  if ('result' in outcome) send({ call, result: outcome.result }, buffersOf(outcome.result));
  else send({ call, failure: failureOf(outcome.error, 'failed') });
}

function send(reply: Reply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(reply, transfer);
}

/** Results are made for one reader, so their buffers move to it. */
function buffersOf(result: unknown): ArrayBuffer[] {
  if (!Array.isArray(result)) return [];
  return result.map((item: Float32Array | { rgba: Uint8Array } | { state: Float32Array }) => {
    const view = ArrayBuffer.isView(item) ? item : 'rgba' in item ? item.rgba : item.state;
    return view.buffer as ArrayBuffer;
  });
}

function failureOf(error: unknown, otherwise: 'unavailable' | 'failed'): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof EngineError)) return { reason: otherwise, detail: message };
  // The other side puts the words in front again.
  return { reason: error.reason, detail: error.detail };
}
