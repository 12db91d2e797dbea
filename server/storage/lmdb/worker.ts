/**
 * Main script of the storage thread. A separate thread is used, so that waiting for the disk does
 * not block the server. Calls are executed in order.
 */
import { workerData } from 'node:worker_threads';
import { freeBuffers, serveWorker } from '../../platform/worker-rpc.ts';
import type { StoreStart } from './open.ts';
import { openTable, type Table } from './table.ts';

await serveWorker<Table>(async () => {
  const { folder, ...options } = workerData as StoreStart;
  const table = openTable(folder, options);
  const putUnsynced: Table['putUnsynced'] = (key, parts) => {
    table.putUnsynced(key, parts);
    freeBuffers(parts);
  };
  return { methods: { ...table, putUnsynced } };
});
