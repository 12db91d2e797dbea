/**
 * An LMDB environment in this thread. Every write is one transaction and on disk when it returns.
 * Uses LMDB's synchronous calls, as failed asynchronous ones leave unhandled rejections.
 */

import { statfsSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { open } from 'lmdb';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { StoreError } from '../record-codec.ts';
import type { Entry, Span, Write } from '../records.ts';

export const DATA_FILE = 'data.mdb';
/** Key of the number of writes; LMDB does not detect that the last ones are missing. */
const COUNT_KEY = '!count';
export const COUNT_BYTES = 12;

export interface Environment {
  get(key: string): Uint8Array | undefined;
  has(key: string): boolean;
  /** The records of a span, in its order; its limit is not regarded. */
  entries(span: Span): Iterable<Entry>;
  keys(span: Span): Iterable<string>;
  /**
   * Writes atomically.
   *
   * @param count number of the write
   * @throws LMDB's error
   */
  write(write: Required<Write>, count: number): void;
  /** Number of the last write when it was opened. */
  readonly count: number;
  /** Number of records according to LMDB. */
  size(): number;
  close(): Promise<void>;
}

/**
 * Opens the environment of an existing folder. A damaged file may also crash the process.
 *
 * @throws StoreError not-writable; damaged: unreadable
 */
export function openEnvironment(folder: string, readOnly: boolean): Environment {
  const db = openDatabase(folder, readOnly);
  const rangeOf = ({ from, to, backwards = false }: Span) => ({
    ...(backwards ? { start: to, end: from, inclusiveEnd: true } : { start: from, end: to }),
    exclusiveStart: backwards,
    reverse: backwards,
  });
  return {
    // Copies, as sending a view to another thread would transfer its whole buffer.
    get: (key) => copyOf(db.get(key)),
    has: (key) => db.doesExist(key),
    entries: (span) =>
      db.getRange(rangeOf(span)).map(({ key, value }) => ({ key, bytes: copyOf(value)! })),
    keys: (span) => db.getKeys(rangeOf(span)),
    write({ put, remove }, count) {
      db.transactionSync(() => {
        for (const { key, bytes } of put) db.putSync(key, bytes as Buffer);
        for (const key of remove) db.removeSync(key);
        db.putSync(COUNT_KEY, encodeCount(count));
      });
    },
    count: decodeCount(db.get(COUNT_KEY)),
    size: () => (db.getStats() as { entryCount: number }).entryCount,
    close: () => db.close(),
  };
}

/**
 * Copies every record, damaged or not, into a new environment. The file's other structures, such as
 * its list of free pages, are not copied: reading cannot verify them, and if they are damaged,
 * writing crashes the process.
 *
 * @param records all of them
 * @param count number of the last write
 * @param folder exists and is empty
 */
export async function writeCopy(
  records: Iterable<Entry>,
  count: number,
  folder: string,
): Promise<void> {
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
  for (const entry of records) {
    batch.push(entry);
    bytes += entry.bytes.length;
    if (bytes > BATCH_BYTES) putBatch();
  }
  if (count > 0) batch.push({ key: COUNT_KEY, bytes: encodeCount(count) });
  putBatch();
  await db.close();
}

/** Approximate number of bytes copied in one transaction. */
const BATCH_BYTES = 16 * 2 ** 20;

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

/** Converts an error on opening a file of a folder. */
export function cannotOpen(folder: string, error: unknown): StoreError {
  const { message, code } = error as { message: string; code?: unknown };
  const denied = ['EACCES', 'EPERM', 'EROFS', 13, 1, 30].includes(code as never);
  if (denied || /permission|read-only/i.test(message)) {
    return new StoreError('not-writable', `The folder ${folder} is not writable (${message}).`);
  }
  return new StoreError('damaged', `The data in ${folder} cannot be read: ${message}.`);
}

/** ENOSPC, EDQUOT, EFBIG, EIO (LMDB's error for a partial write) and MDB_MAP_FULL. */
const NO_SPACE = new Set([28, 122, 27, 5, -30792]);

/** Converts an error on writing. */
export function failedWrite(error: unknown): StoreError {
  const { message, code } = error as { message: string; code?: number };
  return NO_SPACE.has(code ?? 0)
    ? new StoreError('disk-full', `The disk is full (${message}).`)
    : new StoreError('write-failed', `The data cannot be written (${message}).`);
}

/** A number of writes with its checksum. */
export function encodeCount(count: number): Buffer {
  const bytes = Buffer.alloc(COUNT_BYTES);
  bytes.writeDoubleLE(count);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 8)), 8);
  return bytes;
}

/** @returns 0 if the count is missing or damaged */
export function decodeCount(bytes: Uint8Array | undefined): number {
  if (bytes?.length !== COUNT_BYTES) return 0;
  const view = Buffer.from(bytes);
  return view.readUInt32LE(8) === crc32(view.subarray(0, 8)) ? view.readDoubleLE() : 0;
}

function copyOf(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && new Uint8Array(bytes);
}

const MEGABYTE = 2 ** 20;
/** Pages of a transaction besides its records, as a factor of these. */
const PAGES = 2;
/** Factor of the reserve that must be free again, so that writing does not alternate. */
const AGAIN = 1.25;

/** Bytes free on the disk of a folder. @throws the system's error */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Refuses writes while less than a reserve would stay free. */
export class SpaceGuard {
  private isShort = false;

  /** @param free bytes free on the disk */
  constructor(private readonly free: () => number) {}

  /**
   * Call before a write.
   *
   * @param bytes of its records
   * @throws StoreError disk-full
   */
  require(bytes: number): void {
    const { reserve } = DEFAULTS.store;
    const free = this.free();
    this.isShort = free < (this.isShort ? AGAIN : 1) * reserve + PAGES * bytes;
    if (!this.isShort) return;
    const [left, kept] = [free, reserve].map((size) => Math.floor(size / MEGABYTE));
    throw new StoreError(
      'disk-full',
      `The disk is nearly full: ${left} MiB are free, and ${kept} MiB must stay free.`,
    );
  }
}
