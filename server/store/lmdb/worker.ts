/** The store's thread: writes wait for the disk here, so that nothing else does. Calls are made in the order they come. */
import { parentPort, workerData } from 'node:worker_threads';
import { StoreError } from '../errors.ts';
import type { Failure, Reply, Request, StoreStart } from './protocol.ts';
import { openTable, type Table } from './table.ts';

const port = parentPort!;
const send = (reply: Reply): void => port.postMessage(reply);

function failureOf(error: unknown): Failure {
  if (error instanceof StoreError) return { reason: error.reason, message: error.message };
  return { reason: 'write-failed', message: error instanceof Error ? error.message : `${error}` };
}

async function answer(table: Table, { call, method, argument }: Request): Promise<void> {
  try {
    const result = await (table[method] as (argument: unknown) => unknown)(argument);
    send({ call, result });
  } catch (error) {
    send({ call, failure: failureOf(error) });
  }
}

try {
  const { folder, readOnly } = workerData as StoreStart;
  const table = openTable(folder, { readOnly });
  port.on('message', (request: Request) => void answer(table, request));
  send({ ready: true });
} catch (error) {
  send({ ready: failureOf(error) });
}
