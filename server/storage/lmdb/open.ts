/** Opens the records of a folder. */

import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { FEW_OBJECTS, WorkerRpc } from '../../platform/worker-rpc.ts';
import { StoreError } from '../record-codec.ts';
import type { Records } from '../records.ts';
import { inspect, recoverFile, resumeRecovery } from './inspect.ts';
import { lockFolder } from './lock.ts';
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

/** Records with the result of their verification. */
export interface FolderRecords extends Records {
  /** Keys of damaged records. */
  readonly damaged: readonly string[];
  /** Why the file was replaced by a copy of what can be read of it. */
  readonly recovered?: string | undefined;
}

/** What to do with a file that cannot be read; absent: nothing. */
export interface RecoverOptions {
  /** The folder that receives the damaged file. */
  readonly aside: string;
  /** Names of rooms that may be stored in the file. */
  readonly rooms: readonly string[];
}

/**
 * Opens a folder for this server only, and creates it if it does not exist.
 *
 * @throws StoreError not-writable, in-use, damaged
 */
export async function openFolder(folder: string, options?: RecoverOptions): Promise<FolderRecords> {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new StoreError('not-writable', `The folder ${folder} cannot be created (${code}).`);
  }
  const release = await lockFolder(folder);
  try {
    const { records, ...findings } = await openRecovered(folder, options);
    return {
      ...records,
      ...findings,
      async close() {
        await records.close();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

async function openRecovered(folder: string, options: RecoverOptions | undefined) {
  const start = () => startTable({ folder, readOnly: false });
  const recovered = resumeRecovery(resolve(folder), options?.aside);
  try {
    const damaged = await inspect(resolve(folder), { renew: true });
    return { records: await start(), damaged, recovered };
  } catch (error) {
    if (!options || !(error instanceof StoreError && error.reason === 'damaged')) throw error;
    const damaged = await recoverFile(resolve(folder), { ...options, why: error.message });
    if (!damaged) throw error;
    return { records: await start(), damaged, recovered: error.message };
  }
}

/**
 * As `openFolder`; fails if records other than those of snapshots are damaged.
 *
 * @throws StoreError not-writable, in-use, damaged
 */
export async function openSound(folder: string): Promise<FolderRecords> {
  const records = await openFolder(folder);
  const lost = records.damaged.filter((key) => !REPLACEABLE.test(key));
  if (lost.length === 0) return records;
  await records.close();
  throw new StoreError(
    'damaged',
    `The data in ${folder} are damaged: ${lost.length} records that cannot be replaced, the first "${lost[0]}".`,
  );
}

/** Opens a folder read-only, also while a server uses it. @throws StoreError damaged, not-kept */
export async function readFolder(folder: string): Promise<FolderRecords> {
  const damaged = await inspect(resolve(folder));
  return { ...(await startTable({ folder, readOnly: true })), damaged };
}

/** Records of snapshots: if one is damaged, an older snapshot can be used. */
const REPLACEABLE = /^(snapshot|state|cells)\//;
