/**
 * Stores records in an LMDB environment with a write-ahead log, in the calling thread. When a write
 * returns, its data are on disk. A small write goes into the log. A large write goes into the
 * environment, together with all writes that are in the log. Start reading at `openTable`.
 */
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { open } from 'lmdb';
import {
  DISK_RESERVE,
  decodeRecord,
  type Entry,
  encodeRecord,
  type Span,
  StoreError,
  type Write,
} from '../records.ts';
import { contentOf, LOG_FILE, readLog, WriteAheadLog } from './write-ahead-log.ts';

export const DATA_FILE = 'data.mdb';
/**
 * File that stores the number of the last write. If the latest writes are lost, both LMDB and a
 * truncated log still look intact; only this number reveals the loss.
 */
export const WITNESS_FILE = 'witness';
/** Folder of the files that are written without being synced to disk. Each key has its own file. */
const UNSYNCED = 'unsynced';
/** Key under which the LMDB environment stores the number of its last write. */
const COUNT_KEY = '!count';
const COUNT_BYTES = 12;
/**
 * Maximum size of a write that goes into the log, in bytes. Larger writes go directly into the LMDB
 * environment.
 */
const LOGGED_BYTES = 32_768;

/** The methods of `Records`, but synchronous. */
export type Table = ReturnType<typeof openTable>;

/**
 * Opens the records of an existing folder. Reading a damaged file may crash the process.
 *
 * @param options.live whether another process may be writing to the folder
 * @param options.ignoreLoss whether to open the folder even if writes are missing or damaged
 * @throws StoreError 'not-writable' if this user may not open the files; 'damaged' if they are
 *   unreadable or writes are missing
 */
export function openTable(
  folder: string,
  {
    readOnly = false,
    live = readOnly,
    ignoreLoss = false,
  }: Partial<Record<'readOnly' | 'live' | 'ignoreLoss', boolean>> = {},
) {
  // Another process may write between these three reads. So read the witness file first, then the
  // log, then the environment. Each of them then contains at least the writes that were found in
  // the previous one.
  const witnessed = readWitness(folder);
  const logged = readLog(folder);
  const db = openDatabase(folder, readOnly);
  let settled = decodeCount(db.get(COUNT_KEY));
  const { writes, last, end, missing, isDamaged } = contentOf(logged, settled);
  let loss: string | undefined;
  if (missing > 0) loss = `${missing} writes older than the log of writes are missing`;
  // If another process may be using the folder (`live`), ignore damage to the log, because that
  // process may be writing to the log right now.
  else if (isDamaged && !live) loss = 'their log is damaged';
  else if (witnessed > last) loss = `the last ${witnessed - last} writes are missing`;
  if (loss && !ignoreLoss) {
    void db.close();
    throw new StoreError('damaged', `The data in ${folder} are damaged: ${loss}.`);
  }
  /**
   * Changes that are in the log but not yet in the environment, by key. The value of a removed
   * record is undefined.
   */
  const changes: Changes = new Map();
  for (const write of writes) addTo(changes, write);
  let count = last;
  const witness = readOnly ? undefined : openWitness(folder);
  const log = new WriteAheadLog(folder, end);
  const unsyncedFile = (key: string): string => join(folder, UNSYNCED, encodeURIComponent(key));
  const space = new SpaceGuard(() => freeBytes(folder));
  /** Writes all changes in the log, and one more write, into the environment. */
  const settle = (write: Write, number: number): void => {
    const all = addTo(new Map(changes), write);
    db.transactionSync(() => {
      for (const [key, bytes] of all) {
        if (bytes) db.putSync(key, bytes as Buffer);
        else db.removeSync(key);
      }
      db.putSync(COUNT_KEY, encodeCount(number));
    });
    settled = number;
    changes.clear();
    log.restart();
  };
  /**
   * Reads a record and copies it into its own buffer. LMDB and the log keep many records in one
   * buffer. When a record is sent to another thread, its whole buffer moves to that thread, and the
   * other records in the buffer would be lost here.
   */
  const get = (key: string): Uint8Array | undefined => {
    const bytes = changes.has(key) ? changes.get(key) : db.get(key);
    return bytes && new Uint8Array(bytes);
  };
  /**
   * Prepares reading a range of keys. `changed`: the keys in the range that the log changes.
   * `range`: options for reading the range from the environment; its limit is higher than that of
   * the range, because records that the log removes will be left out.
   */
  const partsOf = ({ from, to, backwards = false, limit }: Span) => {
    const changed = [...changes.keys()].filter((key) => key >= from && key < to);
    const ends = backwards
      ? { start: to, end: from, inclusiveEnd: true }
      : { start: from, end: to };
    const range = {
      ...{ ...ends, exclusiveStart: backwards, reverse: backwards },
      ...(limit !== undefined && { limit: limit + changed.length }),
    };
    return { changed, range };
  };
  const keys = (span: Span): string[] => {
    const { changed, range } = partsOf(span);
    if (changed.length === 0) return [...db.getKeys(range)];
    const all = [...new Set([...db.getKeys(range), ...changed])].sort();
    if (span.backwards) all.reverse();
    return all.filter((key) => !changes.has(key) || changes.get(key)).slice(0, span.limit);
  };
  const list = (span: Span): Entry[] => {
    const { changed, range } = partsOf(span);
    // A damaged file may list a key that has no record. Return an empty record for such a key.
    if (changed.length > 0)
      return keys(span).map((key) => ({ key, bytes: get(key) ?? new Uint8Array() }));
    const stored = db.getRange(range);
    return [...stored.map(({ key, value }) => ({ key, bytes: new Uint8Array(value) }))];
  };
  return {
    get,
    keys,
    list,
    write(write: Write): void {
      const bytes = (write.put ?? []).reduce((sum, one) => sum + one.bytes.length, 0);
      space.require(bytes);
      try {
        if (bytes <= LOGGED_BYTES && log.append(count + 1, write)) addTo(changes, write);
        else settle(write, count + 1);
      } catch (error) {
        throw failedWrite(error);
      }
      count++;
      if (witness !== undefined) writeWitness(witness, count);
    },
    putUnsynced(key: string, parts: readonly Uint8Array[]): void {
      if (parts.length > 0) space.require(parts.reduce((sum, { length }) => sum + length, 0));
      const file = unsyncedFile(key);
      try {
        if (parts.length > 0) {
          mkdirSync(join(folder, UNSYNCED), { recursive: true });
          writeFileSync(`${file}.new`, encodeRecord(key, parts), { mode: 0o600 });
        }
        // Remove the old file before renaming the new one. If a file is replaced by renaming, ext4
        // writes the new file to disk immediately, which takes time and is not needed here.
        rmSync(file, { force: true });
        if (parts.length > 0) renameSync(`${file}.new`, file);
      } catch (error) {
        throw failedWrite(error);
      }
    },
    getUnsynced(key: string): Uint8Array[] | undefined {
      try {
        const parts = decodeRecord(key, readFileSync(unsyncedFile(key))) as Uint8Array[];
        // Copy each part into its own buffer. Otherwise, all parts share one buffer. When a part is
        // sent to another thread, its whole buffer moves to that thread, and the other parts would
        // be lost here.
        return parts.map((part) => new Uint8Array(part));
      } catch {
        // A file that is missing or incomplete counts as no data.
        return undefined;
      }
    },
    size: (): number => sizeOf(join(folder, DATA_FILE)) + sizeOf(join(folder, LOG_FILE)),
    /** Number of records, according to LMDB and the log. */
    count(): number {
      let { entryCount: sum } = db.getStats() as { entryCount: number };
      for (const [key, bytes] of changes) sum += Number(!!bytes) - Number(db.doesExist(key));
      return sum;
    },
    writes: (): number => count,
    async close(): Promise<void> {
      if (!readOnly) {
        try {
          // Compare the numbers of writes. Checking whether `changes` is empty would not be enough,
          // because a write without records also has a number.
          if (settled < count) settle({}, count);
        } catch {
          // Ignore the error: the changes are still in the log, and the next process that opens the
          // folder reads the log.
        }
        log.close(settled === count);
      }
      if (witness !== undefined) closeSync(witness);
      await db.close();
    },
  };
}

type Changes = Map<string, Uint8Array | undefined>;

function addTo(changes: Changes, { put = [], remove = [] }: Write): Changes {
  for (const { key, bytes } of put) changes.set(key, bytes);
  for (const key of remove) changes.set(key, undefined);
  return changes;
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/**
 * Reads the number of the last write from the witness file. Returns 0 if the file is missing or
 * damaged.
 */
function readWitness(folder: string): number {
  try {
    return decodeCount(readFileSync(join(folder, WITNESS_FILE)));
  } catch {
    return 0;
  }
}

/** Opens the witness file. @returns a file descriptor @throws StoreError 'not-writable' */
function openWitness(folder: string): number {
  try {
    return openSync(join(folder, WITNESS_FILE), constants.O_RDWR | constants.O_CREAT);
  } catch (error) {
    throw cannotOpen(folder, error);
  }
}

/**
 * Stores the number of the last write in the witness file. Ignores failures: with too low a number,
 * only the loss of the latest writes might go unnoticed.
 */
function writeWitness(file: number, count: number): void {
  try {
    writeSync(file, encodeCount(count), 0, COUNT_BYTES, 0);
  } catch {
    // Ignore the error: the write itself is already stored.
  }
}

/** Encodes the number of the last write, together with a checksum. */
export function encodeCount(count: number): Buffer {
  const bytes = Buffer.alloc(COUNT_BYTES);
  bytes.writeDoubleLE(count);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 8)), 8);
  return bytes;
}

/** Decodes the number of the last write. Returns 0 if the bytes are missing or damaged. */
function decodeCount(bytes: Uint8Array | undefined): number {
  if (bytes?.length !== COUNT_BYTES) return 0;
  const view = Buffer.from(bytes);
  return view.readUInt32LE(8) === crc32(view.subarray(0, 8)) ? view.readDoubleLE() : 0;
}

/** A string that sorts after every key. */
const LAST = '~';
/** Maximum number of records read at a time. */
const PART = 64;

/** Yields all records in the order of their keys. */
export function* entriesOf(table: Pick<Table, 'list'>): Generator<Entry> {
  for (let from = ''; ; ) {
    const entries = table.list({ from, to: LAST, limit: PART });
    yield* entries;
    if (entries.length < PART) return;
    from = keyAfter(entries.at(-1)!.key);
  }
}

/** Returns the smallest key that is greater than a given key. */
export const keyAfter = (key: string): string => `${key}\u0000`;

/** When records are copied, a transaction is committed after this many bytes. */
const BATCH_BYTES = 16 * 2 ** 20;

/**
 * Copies every record, damaged or not, into a new environment. Leaves the other structures of the
 * file behind, such as the list of free pages: they cannot be verified by reading, and if they were
 * damaged, a later write would crash the process.
 *
 * @param folder an existing, empty folder for the new environment
 */
export async function writeCopy(table: Table, folder: string): Promise<void> {
  const db = openDatabase(folder, false);
  // Write several small records in one transaction, because each transaction waits for the disk.
  let batch: Entry[] = [];
  let bytes = 0;
  const putBatch = (): void => {
    db.transactionSync(() => {
      for (const entry of batch) db.putSync(entry.key, entry.bytes as Buffer);
    });
    batch = [];
    bytes = 0;
  };
  for (const entry of entriesOf(table)) {
    batch.push(entry);
    bytes += entry.bytes.length;
    if (bytes > BATCH_BYTES) putBatch();
  }
  const count = table.writes();
  if (count > 0) batch.push({ key: COUNT_KEY, bytes: encodeCount(count) });
  putBatch();
  await db.close();
}

/**
 * Opens the LMDB environment in a folder. Call only the synchronous methods of the result: when an
 * asynchronous method fails, it leaves an unhandled rejection.
 */
function openDatabase(folder: string, readOnly: boolean) {
  try {
    return open<Buffer, string>({
      path: folder,
      noSubdir: false,
      encoding: 'binary',
      readOnly,
      // As in the original LMDB, sync data pages to disk before writing the pages that refer to
      // them.
      overlappingSync: false,
    });
  } catch (error) {
    throw cannotOpen(folder, error);
  }
}

export const notWritable = (folder: string, why: string): StoreError =>
  new StoreError(
    'not-writable',
    `The folder ${folder} is not writable (${why}). Allow the server's user to write to this folder, or choose another folder with --data.`,
  );

function cannotOpen(folder: string, error: unknown): StoreError {
  const { message, code } = error as { message: string; code?: unknown };
  const denied = ['EACCES', 'EPERM', 'EROFS', 13, 1, 30].includes(code as never);
  if (denied || /permission|read-only/i.test(message)) return notWritable(folder, message);
  return new StoreError('damaged', `The data in ${folder} cannot be read: ${message}.`);
}

/**
 * Error codes that mean that the disk is full: ENOSPC, EDQUOT, EFBIG, EIO (which LMDB reports when
 * only a part was written) and MDB_MAP_FULL.
 */
const NO_SPACE = new Set([28, 122, 27, 5, -30792]);

function failedWrite(error: unknown): StoreError {
  const { message, code } = error as { message: string; code?: number };
  return NO_SPACE.has(code ?? 0)
    ? new StoreError('disk-full', `The disk is full (${message}). Free some space.`)
    : new StoreError('write-failed', `The data cannot be written (${message}). Check the disk.`);
}

const MEGABYTE = 2 ** 20;
/** Maximum disk space that a transaction needs, as a multiple of the size of its records. */
const PAGES = 2;
/**
 * After writes were refused for lack of space, they are accepted again once the free space is at
 * least this multiple of `DISK_RESERVE`. The value is above 1, so that the server does not keep
 * switching between refusing and accepting writes.
 */
const AGAIN = 1.25;

/**
 * Returns the number of free bytes on the disk that contains a folder.
 *
 * @throws the error of `statfsSync`
 */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Refuses writes after which fewer than `DISK_RESERVE` bytes would be free on the disk. */
export class SpaceGuard {
  private isShort = false;

  /** @param free returns the bytes free on the disk */
  constructor(private readonly free: () => number) {}

  /**
   * Checks that the disk has enough space for a write. Call it before the write.
   *
   * @param bytes total size of the records to write
   * @throws StoreError 'disk-full'
   */
  require(bytes: number): void {
    const free = this.free();
    this.isShort = free < (this.isShort ? AGAIN : 1) * DISK_RESERVE + PAGES * bytes;
    if (!this.isShort) return;
    const [left, kept] = [free, DISK_RESERVE].map((size) => Math.floor(size / MEGABYTE));
    throw new StoreError(
      'disk-full',
      `The disk is nearly full: ${left} MiB are free, and ${kept} MiB must stay free. Free some space.`,
    );
  }
}
