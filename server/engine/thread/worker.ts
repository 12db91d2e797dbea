/** The engine's thread: a patch store behind a message port, one call after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { NoBackendError, selectBackend } from '../backend.ts';
import { createPatchStore, type PatchStore } from '../core/patchStore.ts';
import { EngineError } from '../engine.ts';
import type { Failure, Reply, Request, WorkerStart } from './protocol.ts';

const port = parentPort!;

try {
  const { backend: wanted, models } = workerData as WorkerStart;
  const { backend, passed } = await selectBackend(wanted);
  const store = await createPatchStore({ models, backend });
  let last = Promise.resolve();
  port.on('message', (request: Request) => {
    last = last.then(() => answer(store, request));
  });
  send({ info: backend.info, passed });
} catch (error) {
  const passed = error instanceof NoBackendError ? error.passed : [];
  send({ unavailable: failureOf(error, 'unavailable'), passed });
}

async function answer(store: PatchStore, { call, method, argument }: Request): Promise<void> {
  try {
    const result = await (store[method] as (argument: unknown) => unknown)(argument);
    send({ call, result }, buffersOf(result));
  } catch (error) {
    send({ call, failure: failureOf(error, 'failed') });
  }
}

function send(reply: Reply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(reply, transfer);
}

/** Results are made for one reader, so their buffers move to it. */
function buffersOf(result: unknown): ArrayBuffer[] {
  if (!Array.isArray(result)) return [];
  return result.map((item: Float32Array | { rgba: Uint8Array }) =>
    ArrayBuffer.isView(item) ? (item.buffer as ArrayBuffer) : (item.rgba.buffer as ArrayBuffer),
  );
}

function failureOf(error: unknown, otherwise: 'unavailable' | 'failed'): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof EngineError)) return { reason: otherwise, detail: message };
  // The other side puts the words in front again.
  return { reason: error.reason, detail: error.detail };
}
