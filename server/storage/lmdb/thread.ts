/** Records of an LMDB environment in a worker thread. */
import { Worker } from 'node:worker_threads';
import { FEW_OBJECTS, WorkerRpc } from '../../platform/worker-rpc.ts';
import type { Records } from '../records.ts';
import { StoreError } from '../store-error.ts';
import type { Table } from './table.ts';
import type { StoreStart } from './worker.ts';

/** Starts the thread and opens the environment. @throws StoreError not-writable, damaged */
export async function startTable(start: StoreStart): Promise<Records> {
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
    workerData: start,
    name: 'store',
    resourceLimits: FEW_OBJECTS,
  });
  const rpc = new WorkerRpc<Table>(worker, {
    errors: { StoreError },
    otherwise: ({ message }) => new StoreError('write-failed', message),
    onDeath: ({ cause, why }) =>
      new StoreError(
        'write-failed',
        cause === 'ended' ? 'The store has ended.' : `The store has failed: ${why}.`,
      ),
  });
  await rpc.ready;
  return {
    get: (key) => rpc.call('get', key),
    list: (span) => rpc.call('list', span),
    keys: (span) => rpc.call('keys', span),
    write: (write) => rpc.call('write', write),
    putUnsynced: (key, parts) => rpc.give('putUnsynced', key, parts),
    getUnsynced: (key) => rpc.call('getUnsynced', key),
    size: () => rpc.call('size'),
    close() {
      // The thread is ended even if closing the table fails.
      rpc.call('close').catch(() => {});
      return rpc.close(new StoreError('closed', 'The store is closed.'));
    },
  };
}
