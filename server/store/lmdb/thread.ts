/** Records in an LMDB environment that lives in a thread of its own. */
import { Worker } from 'node:worker_threads';
import { StoreError } from '../errors.ts';
import type { Entry, Records } from '../records.ts';
import type { Argument, Method, Reply, Request, Result, StoreStart } from './protocol.ts';

interface Pending {
  resolve(result: unknown): void;
  reject(error: StoreError): void;
}

/** @throws StoreError not-writable, damaged */
export async function startTable(start: StoreStart): Promise<Records> {
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
    workerData: start,
    name: 'store',
  });
  const pending = new Map<number, Pending>();
  let calls = 0;
  let end: StoreError | undefined;
  let ready: Pending | undefined;
  const fail = (reason: 'write-failed' | 'closed', message: string): void => {
    end ??= new StoreError(reason, message);
    ready?.reject(end);
    for (const waiting of pending.values()) waiting.reject(end);
    pending.clear();
  };
  worker.on('error', (error) => fail('write-failed', `The store has failed: ${error.message}.`));
  worker.on('exit', () => fail('write-failed', 'The store has ended.'));
  await new Promise<void>((resolve, reject) => {
    ready = { resolve: () => resolve(), reject };
    worker.on('message', (reply: Reply) => {
      if ('ready' in reply) {
        if (reply.ready === true) resolve();
        else reject(new StoreError(reply.ready.reason, reply.ready.message));
        return;
      }
      const waiting = pending.get(reply.call);
      pending.delete(reply.call);
      if ('failure' in reply) {
        waiting?.reject(new StoreError(reply.failure.reason, reply.failure.message));
      } else waiting?.resolve(reply.result);
    });
  }).catch(async (error: unknown) => {
    await worker.terminate();
    throw error;
  });
  ready = undefined;

  const ask = <M extends Method>(method: M, argument?: Argument<M>): Promise<Result<M>> =>
    new Promise((resolve, reject) => {
      if (end) throw end;
      const call = calls++;
      worker.postMessage({ call, method, argument } as Request);
      pending.set(call, { resolve: resolve as Pending['resolve'], reject });
    });

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const last = end ? undefined : ask('close');
    end ??= new StoreError('closed', 'The store is closed.');
    await last?.catch(() => undefined);
    await worker.terminate();
  };
  return {
    get: async (key) => ask('get', key),
    list: async (span): Promise<Entry[]> => ask('list', span),
    keys: async (span) => ask('keys', span),
    write: async (write) => ask('write', write),
    size: async () => ask('size'),
    close: () => (closing ??= close()),
  };
}
