/** Opens the records of a folder. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { FEW_OBJECTS, WorkerRpc } from '../../platform/worker-rpc.ts';
import { type Records, StoreError } from '../records.ts';
import { inspect, recoverFile, resumeRecovery } from './inspect.ts';
import type { Table } from './table.ts';
import type { StoreStart } from './worker.ts';

/** Longest path of a Unix socket, with a margin. */
const MAX_PATH = 100;
/** Time after which a server that starts concurrently has replaced our socket, if it does; ms. */
const RACE_DELAY = 60;

/** Releases the folder. */
export type Release = () => Promise<void>;

/** Locks a folder for this server. @throws StoreError in-use, not-writable */
export async function lockFolder(folder: string): Promise<Release> {
  const path = socketPath(resolve(folder));
  if (await answers(path)) throw inUse(folder);
  if (process.platform !== 'win32') rmSync(path, { force: true });
  const server = await listen(path, folder);
  await setTimeout(RACE_DELAY);
  if (process.platform !== 'win32' && !isMine(path, server)) {
    await close(server);
    throw inUse(folder);
  }
  return () => close(server);
}

const inUse = (folder: string): StoreError =>
  new StoreError(
    'in-use',
    `Another server uses the data in ${folder}. Stop it, or choose another folder with --data.`,
  );

function socketPath(folder: string): string {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  if (process.platform === 'win32') return `\\\\.\\pipe\\vivarium-${name}`;
  const inside = join(folder, 'server.sock');
  return inside.length <= MAX_PATH ? inside : join(tmpdir(), `vivarium-${name}.sock`);
}

/** Inode of each server's socket, to recognise it. */
const inodes = new WeakMap<Server, number>();

function isMine(path: string, server: Server): boolean {
  try {
    return statSync(path).ino === inodes.get(server);
  } catch {
    return false;
  }
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

async function listen(path: string, folder: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  try {
    await once(server.listen(path), 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw inUse(folder);
    throw new StoreError(
      'not-writable',
      `The folder ${folder} is not writable (${code ?? message}).`,
    );
  }
  if (process.platform !== 'win32') inodes.set(server, statSync(path).ino);
  return server;
}

function close(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
  });
}

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

const LENGTH = 32;

/**
 * Reads a secret, or creates it.
 *
 * @param folder the data folder; undefined: the secret is not stored
 * @returns [32]
 * @throws StoreError not-writable
 */
export function storedSecret(folder: string | undefined, name: string): Uint8Array {
  if (folder === undefined) return randomBytes(LENGTH);
  const file = join(folder, name);
  try {
    const stored = readFileSync(file);
    if (stored.length === LENGTH) return stored;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw errorOf(file, error);
  }
  const secret = randomBytes(LENGTH);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, secret, { mode: 0o600 });
  } catch (error) {
    throw errorOf(file, error);
  }
  return secret;
}

function errorOf(file: string, error: unknown): StoreError {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  return new StoreError('not-writable', `The file ${file} cannot be read or written (${code}).`);
}
