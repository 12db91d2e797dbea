/**
 * An LMDB environment in this thread. Every write is one transaction and on disk when it returns.
 * Uses LMDB's synchronous calls, as failed asynchronous ones leave unhandled rejections.
 */
import { closeSync, constants, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { open } from 'lmdb';
import type { Entry, Span, Write } from '../records.ts';
import { StoreError } from '../store-error.ts';
import { freeBytes, SpaceGuard } from './space-guard.ts';

export const DATA_FILE = 'data.mdb';
/** Key of the number of transactions; LMDB does not detect that the last ones are missing. */
const COUNT_KEY = '!count';
export const WITNESS_FILE = 'witness';
const WITNESS_BYTES = 12;

/** `Records` with synchronous methods. */
export interface Table {
  get(key: string): Uint8Array | undefined;
  list(span: Span): Entry[];
  keys(span: Span): string[];
  write(write: Write): void;
  size(): number;
  /** Number of records according to LMDB. */
  count(): number;
  close(): Promise<void>;
}

/**
 * Opens the environment of an existing folder. A damaged file may also crash the process.
 *
 * @param options.ignoreWitness also opens it if the last transactions are missing
 * @throws StoreError not-writable; damaged: unreadable, or the last transactions are missing
 */
export function openTable(folder: string, { readOnly = false, ignoreWitness = false } = {}): Table {
  const db = openDatabase(folder, readOnly);
  let count = decodeCount(db.get(COUNT_KEY));
  const witnessed = readWitness(join(folder, WITNESS_FILE));
  if (witnessed > count && !ignoreWitness) {
    void db.close();
    throw new StoreError(
      'damaged',
      `The data in ${folder} lack the last ${witnessed - count} writes.`,
    );
  }
  const witness = readOnly ? undefined : openWitness(folder);
  const space = new SpaceGuard(() => freeBytes(folder));
  const rangeOf = ({ from, to, backwards, limit }: Span) => ({
    ...(backwards ? { start: to, end: from, inclusiveEnd: true } : { start: from, end: to }),
    exclusiveStart: backwards ?? false,
    reverse: backwards ?? false,
    ...(limit !== undefined && { limit }),
  });
  return {
    // Copies, as sending a view to another thread would transfer its whole buffer.
    get: (key) => copyOf(db.get(key)),
    list: (span) =>
      [...db.getRange(rangeOf(span))].map(({ key, value }) => ({ key, bytes: copyOf(value)! })),
    keys: (span) => [...db.getKeys(rangeOf(span))],
    write({ put = [], remove = [] }) {
      space.require(put.reduce((sum, { bytes }) => sum + bytes.length, 0));
      try {
        db.transactionSync(() => {
          for (const { key, bytes } of put) db.putSync(key, bytes as Buffer);
          for (const key of remove) db.removeSync(key);
          db.putSync(COUNT_KEY, encodeCount(count + 1));
        });
      } catch (error) {
        throw failedWrite(error);
      }
      count++;
      if (witness !== undefined) writeWitness(witness, count);
    },
    count: () => (db.getStats() as { entryCount: number }).entryCount,
    size: () => statSync(join(folder, DATA_FILE)).size,
    async close() {
      if (witness !== undefined) closeSync(witness);
      await db.close();
    },
  };
}

/**
 * Copies every record, damaged or not, into a new environment. The file's other structures, such as
 * its list of free pages, are not copied: reading cannot verify them, and if they are damaged,
 * writing crashes the process.
 *
 * @param from a table that is readable to its end
 * @param folder exists and is empty
 */
export async function copyTable(from: Table, folder: string): Promise<void> {
  const db = openDatabase(folder, false);
  // Each transaction waits for the disk, so small records are written in batches.
  let batch: Entry[] = [];
  let bytes = 0;
  const putBatch = (): void => {
    db.transactionSync(() => {
      for (const entry of batch) db.putSync(entry.key, entry.bytes as Buffer);
    });
    batch = [];
    bytes = 0;
  };
  for (const entry of entriesOf(from)) {
    batch.push(entry);
    bytes += entry.bytes.length;
    if (bytes > BATCH_BYTES) putBatch();
  }
  putBatch();
  await db.close();
}

/** All records, in the order of their keys. */
export function* entriesOf(table: Pick<Table, 'list'>): Generator<Entry> {
  for (let from = ''; ; ) {
    const entries = table.list({ from, to: LAST, limit: PART });
    yield* entries;
    if (entries.length < PART) return;
    from = `${entries.at(-1)!.key}${SMALLEST}`;
  }
}

/** Greater than every key. */
const LAST = '~';
/** Approximate number of bytes copied in one transaction. */
const BATCH_BYTES = 16 * 2 ** 20;
/** Records read at a time. */
const PART = 64;
/** Follows a key in the smallest key after it. */
const SMALLEST = '\u0000';

function copyOf(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && new Uint8Array(bytes);
}

function openDatabase(folder: string, readOnly: boolean) {
  try {
    return open<Buffer, string>({
      path: folder,
      noSubdir: false,
      encoding: 'binary',
      readOnly,
      // Write data pages before the pages that refer to them, as in the original LMDB.
      overlappingSync: false,
    });
  } catch (error) {
    throw cannotOpen(folder, error);
  }
}

/** Converts an error on opening. */
function cannotOpen(folder: string, error: unknown): StoreError {
  const { message, code } = error as { message: string; code?: unknown };
  const denied = ['EACCES', 'EPERM', 'EROFS', 13, 1, 30].includes(code as never);
  if (denied || /permission|read-only/i.test(message)) {
    return new StoreError('not-writable', `The folder ${folder} is not writable (${message}).`);
  }
  return new StoreError('damaged', `The data in ${folder} cannot be read: ${message}.`);
}

/** ENOSPC, EDQUOT, EFBIG, EIO (LMDB's error for a partial write) and MDB_MAP_FULL. */
const NO_SPACE = new Set([28, 122, 27, 5, -30792]);

function failedWrite(error: unknown): StoreError {
  const { message, code } = error as { message: string; code?: number };
  return NO_SPACE.has(code ?? 0)
    ? new StoreError('disk-full', `The disk is full (${message}).`)
    : new StoreError('write-failed', `The data cannot be written (${message}).`);
}

function encodeCount(count: number): Buffer {
  const bytes = Buffer.alloc(WITNESS_BYTES);
  bytes.writeDoubleLE(count);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 8)), 8);
  return bytes;
}

/** @returns 0 if the count is missing or damaged */
function decodeCount(bytes: Uint8Array | undefined): number {
  if (bytes?.length !== WITNESS_BYTES) return 0;
  const view = Buffer.from(bytes);
  return view.readUInt32LE(8) === crc32(view.subarray(0, 8)) ? view.readDoubleLE() : 0;
}

function readWitness(file: string): number {
  try {
    return decodeCount(readFileSync(file));
  } catch {
    return 0;
  }
}

function openWitness(folder: string): number {
  try {
    return openSync(join(folder, WITNESS_FILE), constants.O_RDWR | constants.O_CREAT);
  } catch (error) {
    throw cannotOpen(folder, error);
  }
}

/** Best effort: an outdated witness does no harm. */
function writeWitness(file: number, count: number): void {
  try {
    writeSync(file, encodeCount(count), 0, WITNESS_BYTES, 0);
  } catch {
    // The transaction itself is stored.
  }
}
