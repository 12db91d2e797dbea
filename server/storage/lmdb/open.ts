/**
 * Opens the records of a data folder: locks the folder, verifies its files in a separate process,
 * and starts the thread that reads and writes the data file. Start reading at `openFolder`.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { FEW_OBJECTS, WorkerRpc } from '../../platform/worker-rpc.ts';
import { type Records, StoreError } from '../records.ts';
import { inspect, recoverFile, resumeRecovery } from './repair.ts';
import { notWritable, type Table } from './table.ts';

/**
 * Maximum length of a Unix socket's path, in characters. Slightly below the limits of operating
 * systems.
 */
const MAX_PATH = 100;
/**
 * If two servers start at the same time, one may replace the other's socket. A starting server
 * waits this long, in ms, before it checks whether its socket is still there.
 */
const RACE_DELAY = 60;
/** Whether to listen on a named pipe (Windows) instead of a Unix socket. */
const HAS_PIPES = process.platform === 'win32';

/**
 * Locks a folder for this server by listening on a socket. If the folder's socket already answers,
 * the folder is in use. The socket of a killed server does not answer, so a killed server holds no
 * lock.
 *
 * @returns a function that releases the lock
 * @throws StoreError 'in-use' or 'not-writable'
 */
async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const text = `Another server uses the data in ${folder}. Stop that server, or choose another folder with --data.`;
  const inUse = new StoreError('in-use', text);
  const path = socketPath(resolve(folder));
  if (await answers(path)) throw inUse;
  if (!HAS_PIPES) rmSync(path, { force: true });
  const server = createServer((socket) => socket.destroy()).unref();
  try {
    await once(server.listen(path), 'listening');
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw code === 'EADDRINUSE' ? inUse : notWritable(folder, code);
  }
  const release = async (): Promise<void> => void (await once(server.close(), 'close'));
  const inode = (): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;
  const own = HAS_PIPES ? undefined : inode();
  await setTimeout(RACE_DELAY);
  if (HAS_PIPES || inode() === own) return release;
  await release();
  throw inUse;
}

function socketPath(folder: string): string {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  if (HAS_PIPES) return `\\\\.\\pipe\\vivarium-${name}`;
  const inside = join(folder, 'server.sock');
  return inside.length <= MAX_PATH ? inside : join(tmpdir(), `vivarium-${name}.sock`);
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Data passed to the storage thread when it starts (`workerData`). */
export interface StoreStart {
  readonly folder: string;
  readonly readOnly: boolean;
}

/**
 * Starts the storage thread, which opens the LMDB environment.
 *
 * @throws StoreError 'not-writable' or 'damaged'
 */
export async function startTable(start: StoreStart): Promise<Records> {
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
    workerData: start,
    name: 'store',
    resourceLimits: FEW_OBJECTS,
  });
  const failed = (message: string) => new StoreError('write-failed', message);
  const rpc = new WorkerRpc<Table>(worker, {
    errors: { StoreError },
    otherwise: ({ message }) => failed(message),
    onDeath: ({ cause, why }) =>
      failed(
        cause === 'ended'
          ? 'The thread that stores data has ended.'
          : `The thread that stores data has failed: ${why}.`,
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
      // End the thread even if closing the table fails.
      rpc.call('close').catch(() => {});
      return rpc.close(new StoreError('closed', 'The store is closed.'));
    },
  };
}

/** Records of a folder, with the result of verifying the folder. */
export interface FolderRecords extends Records {
  /** Keys of damaged records. */
  readonly damaged: readonly string[];
  /**
   * A sentence that describes the damage. Set if an unreadable data file was replaced by a copy of
   * its readable records.
   */
  readonly recovered?: string | undefined;
}

/**
 * Opens and locks a data folder. Creates the folder if it does not exist.
 *
 * @param recovery how to handle an unreadable data file. `aside`: folder to move the file to.
 *   `rooms`: names of rooms that the file may contain. Without `recovery`, an unreadable file is an
 *   error.
 * @throws StoreError 'not-writable', 'in-use' or 'damaged'
 */
export async function openFolder(
  folder: string,
  recovery?: { readonly aside: string; readonly rooms: readonly string[] },
): Promise<FolderRecords> {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const text = `The folder ${folder} cannot be created (${code}). Choose another folder with --data.`;
    throw new StoreError('not-writable', text);
  }
  const release = await lockFolder(folder);
  const path = resolve(folder);
  try {
    const resumed = resumeRecovery(path, recovery?.aside);
    const start = async (damaged: readonly string[], recovered = resumed) => {
      return { ...(await startTable({ folder, readOnly: false })), damaged, recovered };
    };
    const verified = inspect(path, { renew: true }).then((damaged) => start(damaged));
    const records = await verified.catch(async (error: unknown) => {
      const isDamaged = error instanceof StoreError && error.reason === 'damaged';
      if (!recovery || !isDamaged) throw error;
      const damaged = await recoverFile(path, { ...recovery, why: error.message });
      if (!damaged) throw error;
      return start(damaged, error.message);
    });
    return {
      ...records,
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

/**
 * Matches the keys of snapshot records. If a snapshot is damaged, an older snapshot can restore the
 * room.
 */
const REPLACEABLE = /^(snapshot|state|cells)\//;

/**
 * Opens a data folder like `openFolder`, but refuses a folder with damaged records. Damaged records
 * of snapshots are allowed.
 *
 * @throws StoreError 'not-writable', 'in-use' or 'damaged'
 */
export async function openSound(folder: string): Promise<FolderRecords> {
  const records = await openFolder(folder);
  const lost = records.damaged.filter((key) => !REPLACEABLE.test(key));
  if (lost.length === 0) return records;
  await records.close();
  const text = `The data in ${folder} are damaged: ${lost.length} records cannot be repaired; the first is "${lost[0]}".`;
  throw new StoreError('damaged', text);
}

/**
 * Opens a data folder for reading only, even if a server is using the folder.
 *
 * @throws StoreError 'damaged' if the data cannot be read; 'not-writable' if this user may not open
 *   the data
 */
export async function readFolder(folder: string): Promise<Records> {
  await inspect(resolve(folder));
  return startTable({ folder, readOnly: true });
}

/** Length of a secret, in bytes. */
const LENGTH = 32;

/**
 * Reads one of the server's secrets from a file. If there is no such file, creates a file with a
 * random secret and mode 600.
 *
 * @param folder the data folder; if undefined, the new secret is not stored
 * @param name the file's name
 * @returns the secret, 32 bytes
 * @throws StoreError 'not-writable'
 */
export function storedSecret(folder: string | undefined, name: string): Uint8Array {
  const secret = randomBytes(LENGTH);
  if (folder === undefined) return secret;
  const file = join(folder, name);
  try {
    const stored = statSync(file, { throwIfNoEntry: false }) && readFileSync(file);
    if (stored?.length === LENGTH) return stored;
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, secret, { mode: 0o600 });
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const text = `The file ${file} cannot be read or written (${code}). Check its permissions.`;
    throw new StoreError('not-writable', text);
  }
  return secret;
}
