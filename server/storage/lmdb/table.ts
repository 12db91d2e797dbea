/**
 * An LMDB environment in this thread: every write is one transaction, on the disk when it returns. (LMDB by its synchronous
 * calls: those of its asynchronous ones that fail leave promises behind that nobody can catch.)
 */
import { closeSync, constants, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { open } from 'lmdb';
import type { Entry, Span, Write } from '../records.ts';
import { StoreError } from '../store-error.ts';

export const DATA_FILE = 'data.mdb';
/** How many transactions there have been: which of them is the last, LMDB itself does not check. */
const COUNT_KEY = '!count';
const WITNESS_FILE = 'witness';
const WITNESS_BYTES = 12;

/** `Records`, but at once. */
export interface Table {
  get(key: string): Uint8Array | undefined;
  list(span: Span): Entry[];
  keys(span: Span): string[];
  write(write: Write): void;
  size(): number;
  /** How many records there should be. */
  count(): number;
  close(): Promise<void>;
}

/**
 * @param folder exists
 * @throws StoreError not-writable; damaged: the last transactions are missing. A damaged file may also end the process.
 */
export function openTable(folder: string, { readOnly = false } = {}): Table {
  const db = openDatabase(folder, readOnly);
  let count = decodeCount(db.get(COUNT_KEY));
  const witnessed = readWitness(join(folder, WITNESS_FILE));
  if (witnessed > count) {
    void db.close();
    throw new StoreError(
      'damaged',
      `The data in ${folder} lack the last ${witnessed - count} of the writes that were made.`,
    );
  }
  const witness = readOnly ? undefined : openWitness(folder);
  const rangeOf = ({ from, to, backwards, limit }: Span) => ({
    ...(backwards ? { start: to, end: from, inclusiveEnd: true } : { start: from, end: to }),
    exclusiveStart: backwards ?? false,
    reverse: backwards ?? false,
    ...(limit !== undefined && { limit }),
  });
  return {
    // Copies of their own: a view that is sent between threads takes all that lies around it along.
    get: (key) => alone(db.get(key)),
    list: (span) =>
      [...db.getRange(rangeOf(span))].map(({ key, value }) => ({ key, bytes: alone(value)! })),
    keys: (span) => [...db.getKeys(rangeOf(span))],
    write({ put = [], remove = [] }) {
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
 * Writes every record into a fresh environment, whole or not. What else is in a file, its lists of free pages above all, is
 * left behind: no reading shows whether they are sound, and writing by bad ones ends the process.
 *
 * @param from a table that can be read through
 * @param folder exists and is empty
 */
export async function copyTable(from: Table, folder: string): Promise<void> {
  const db = openDatabase(folder, false);
  // Each transaction waits for the disk: a week of small records must not wait thousands of times.
  let batch: Entry[] = [];
  let bytes = 0;
  for (let start = ''; ; ) {
    const entries = from.list({ from: start, to: LAST, limit: PART });
    const isLast = entries.length < PART;
    batch.push(...entries);
    for (const entry of entries) bytes += entry.bytes.length;
    if (isLast || bytes > BATCH_BYTES) {
      db.transactionSync(() => {
        for (const entry of batch) db.putSync(entry.key, entry.bytes as Buffer);
      });
      batch = [];
      bytes = 0;
    }
    if (isLast) break;
    start = after(entries.at(-1)!.key);
  }
  await db.close();
}

/** Greater than every key. */
export const LAST = '~';
/** Bytes copied in one transaction, about. */
const BATCH_BYTES = 16 * 2 ** 20;
/** Records read at a time. */
export const PART = 64;
/** The first key that could come after one. */
export const after = (key: string): string => `${key}\u0000`;

function alone(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && new Uint8Array(bytes);
}

function openDatabase(folder: string, readOnly: boolean) {
  try {
    return open<Buffer, string>({
      path: folder,
      noSubdir: false,
      encoding: 'binary',
      readOnly,
      // The data first, then what says that they are there, as LMDB was made.
      overlappingSync: false,
    });
  } catch (error) {
    throw cannotOpen(folder, error);
  }
}

/** Why a folder's data cannot be opened. */
function cannotOpen(folder: string, error: unknown): StoreError {
  const { message, code } = error as { message: string; code?: unknown };
  const denied = ['EACCES', 'EPERM', 'EROFS', 13, 1, 30].includes(code as never);
  if (denied || /permission|read-only/i.test(message)) {
    return new StoreError(
      'not-writable',
      `The folder ${folder} cannot be written to (${message}).`,
    );
  }
  return new StoreError('damaged', `The data in ${folder} cannot be read: ${message}.`);
}

/** ENOSPC, EDQUOT; EFBIG; EIO is what LMDB makes of a write of which only a part found room. */
const NO_ROOM = new Set([28, 122, 27, 5, -30792]);

function failedWrite(error: unknown): StoreError {
  const { message, code } = error as { message: string; code?: number };
  return NO_ROOM.has(code ?? 0)
    ? new StoreError('disk-full', `The disk takes no more (${message}).`)
    : new StoreError('write-failed', `The data cannot be written (${message}).`);
}

function encodeCount(count: number): Buffer {
  const bytes = Buffer.alloc(WITNESS_BYTES);
  bytes.writeDoubleLE(count);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 8)), 8);
  return bytes;
}

/** 0 where there is none, or none that is whole. */
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

/** Best effort: an old one is no harm. */
function writeWitness(file: number, count: number): void {
  try {
    writeSync(file, encodeCount(count), 0, WITNESS_BYTES, 0);
  } catch {
    // What it would have borne witness to is kept all the same.
  }
}
