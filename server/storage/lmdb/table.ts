/**
 * Stores records in an LMDB environment with a write-ahead log, in the calling thread. A small
 * write goes into the log. A large write goes into the environment, together with all writes in the
 * log. When a write returns, its data are on disk. Start reading at `openTable`.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { open } from 'lmdb';
import {
  decodeRecord,
  type Entry,
  encodeRecord,
  type Span,
  StoreError,
  type Write,
} from '../records.ts';
import { freeBytes, SpaceGuard } from './disk-space.ts';
import { contentOf, LOG_FILE, readLog, WriteAheadLog } from './write-ahead-log.ts';

export const DATA_FILE = 'data.mdb';
/**
 * File with the number of the last write. The number reveals that the latest writes were lost, even
 * if LMDB and the log look intact.
 */
export const WITNESS_FILE = 'witness';
/** Folder of the files that are not synced to disk; one file for each key. */
const UNSYNCED = 'unsynced';
/** Key under which the LMDB environment stores the number of its last write. */
const COUNT_KEY = '!count';
const COUNT_BYTES = 12;
/** Maximum size of a write to the log, in bytes. Larger writes go directly into the environment. */
const LOGGED_BYTES = 32_768;

/** The methods of `Records`, but synchronous. */
export type Table = ReturnType<typeof openTable>;

/**
 * Opens the records of an existing folder. Reading a damaged file may crash the process.
 *
 * @param options.live whether another process may be writing to the folder
 * @param options.ignoreLoss whether to open the folder even if writes are missing or damaged
 * @throws StoreError 'not-writable' if this user may not open the files; 'damaged' if the files are
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
  // Keep the order of these three reads: each read then finds at least the writes that the read
  // before it has found, even if another process is writing. So no write seems to be missing.
  const witnessed = readWitness(folder);
  const logged = readLog(folder);
  const db = openDatabase(folder, readOnly);
  let settled = decodeCount(db.get(COUNT_KEY));
  const { writes, last, end, missing, isDamaged } = contentOf(logged, settled);
  let loss: string | undefined;
  if (missing > 0)
    loss = `${missing} writes are missing from both the database and the log of writes`;
  // If another process has the folder open (`live`), ignore damage to the log: the process may be
  // writing to the log now.
  else if (isDamaged && !live) loss = 'the log of writes is damaged';
  else if (witnessed > last) loss = `the last ${witnessed - last} writes are missing`;
  if (loss && !ignoreLoss) {
    void db.close();
    throw new StoreError('damaged', `The data in ${folder} are damaged: ${loss}.`);
  }
  /**
   * Changes that are in the log but not yet in the environment, by key; undefined for a removed
   * record.
   */
  const changes: Changes = new Map();
  for (const write of writes) addTo(changes, write);
  let count = last;
  const witness = readOnly ? undefined : openWitness(folder);
  const log = new WriteAheadLog(folder, end);
  const unsyncedFile = (key: string): string => join(folder, UNSYNCED, encodeURIComponent(key));
  const space = new SpaceGuard(() => freeBytes(folder));
  /** Moves all changes from the log into the environment, together with the new write `write`. */
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
   * Returns a copy of a record in its own buffer, because sending a record to another thread moves
   * the record's whole buffer.
   */
  const get = (key: string): Uint8Array | undefined => {
    const bytes = changes.has(key) ? changes.get(key) : db.get(key);
    return bytes && new Uint8Array(bytes);
  };
  /**
   * Prepares reading a range of keys. `changed`: the keys in the range that the log changes.
   * `range`: the range to read from LMDB. Its limit is higher than the given limit, because the
   * caller then drops the records that the log removes.
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
    // A damaged file may list a key without a record. An empty record then counts as damaged.
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
          fs.mkdirSync(join(folder, UNSYNCED), { recursive: true });
          fs.writeFileSync(`${file}.new`, encodeRecord(key, parts), { mode: 0o600 });
        }
        // Remove the old file first: if renaming replaced the old file, ext4 would write the new
        // file to disk immediately, which takes time.
        fs.rmSync(file, { force: true });
        if (parts.length > 0) fs.renameSync(`${file}.new`, file);
      } catch (error) {
        throw failedWrite(error);
      }
    },
    getUnsynced(key: string): Uint8Array[] | undefined {
      try {
        const parts = decodeRecord(key, fs.readFileSync(unsyncedFile(key))) as Uint8Array[];
        // Copy each part into its own buffer, because sending a part to another thread moves the
        // part's whole buffer.
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
          // Do not test whether `changes` is empty instead: a write without records leaves
          // `changes` empty, but the write's number must still be stored in the environment.
          if (settled < count) settle({}, count);
        } catch {
          // Ignore the error: the next process that opens the folder finds the changes in the log.
        }
        log.close(settled === count);
      }
      if (witness !== undefined) fs.closeSync(witness);
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

const sizeOf = (file: string): number => fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/**
 * Reads the number of the last write from the witness file; 0 if the file is missing or damaged.
 */
function readWitness(folder: string): number {
  try {
    return decodeCount(fs.readFileSync(join(folder, WITNESS_FILE)));
  } catch {
    return 0;
  }
}

/** Opens the witness file. @returns a file descriptor @throws StoreError */
function openWitness(folder: string): number {
  try {
    return fs.openSync(join(folder, WITNESS_FILE), fs.constants.O_RDWR | fs.constants.O_CREAT);
  } catch (error) {
    throw cannotOpen(folder, error);
  }
}

/**
 * Stores the number of the last write in the witness file. Ignores failures: if the number is too
 * low, the only harm is that a loss of the latest writes might go unnoticed.
 */
function writeWitness(file: number, count: number): void {
  try {
    fs.writeSync(file, encodeCount(count), 0, COUNT_BYTES, 0);
  } catch {
    // Ignore the error: the write itself is already stored.
  }
}

export function encodeCount(count: number): Buffer {
  const bytes = Buffer.alloc(COUNT_BYTES);
  bytes.writeDoubleLE(count);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 8)), 8);
  return bytes;
}

/** Decodes the number of the last write; 0 if the bytes are missing or damaged. */
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

/** Size after which a transaction that copies records is committed, in bytes. */
const BATCH_BYTES = 16 * 2 ** 20;

/**
 * Copies every record, damaged or not, into a new environment. Does not copy the file's internal
 * structures, because damaged structures would crash the process at a later write.
 *
 * @param folder an existing, empty folder for the new environment
 */
export async function writeCopy(table: Table, folder: string): Promise<void> {
  const db = openDatabase(folder, false);
  // Write many records in one transaction, because each transaction waits for the disk.
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
 * Opens the LMDB environment in a folder. Call only the result's synchronous methods: failing
 * asynchronous methods leave unhandled rejections.
 */
function openDatabase(folder: string, readOnly: boolean) {
  try {
    return open<Buffer, string>({
      path: folder,
      noSubdir: false,
      encoding: 'binary',
      readOnly,
      // Sync the data file's data pages to disk before writing the pages that refer to them.
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
 * Error codes of a full disk: ENOSPC, EDQUOT, EFBIG, EIO (LMDB's code for an incomplete write) and
 * MDB_MAP_FULL.
 */
const NO_SPACE = new Set([28, 122, 27, 5, -30792]);

function failedWrite(error: unknown): StoreError {
  const { message, code } = error as { message: string; code?: number };
  return NO_SPACE.has(code ?? 0)
    ? new StoreError('disk-full', `The disk is full (${message}). Free some space.`)
    : new StoreError('write-failed', `The data cannot be written (${message}). Check the disk.`);
}
