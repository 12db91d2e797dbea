/**
 * Records in an LMDB environment with a write-ahead log, in this thread. Every write is on disk
 * when it returns: a small one in the log, a large one in the environment, with all before it.
 */
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { open } from 'lmdb';
import { DEFAULTS } from '../../../shared/defaults.ts';
import { type Entry, type Span, StoreError, type Write } from '../records.ts';
import { contentOf, LOG_FILE, type LogContent, readLog, WriteAheadLog } from './write-ahead-log.ts';

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

export class Overlay {
  /** By key; undefined: removed. */
  private readonly changes: Map<string, Uint8Array | undefined>;

  constructor(changes: Iterable<readonly [string, Uint8Array | undefined]> = []) {
    this.changes = new Map(changes);
  }

  /** Adds a write. */
  apply({ put = [], remove = [] }: Write): void {
    for (const { key, bytes } of put) this.changes.set(key, bytes);
    for (const key of remove) this.changes.set(key, undefined);
  }

  /** Everything as one write, with another one after it. */
  with(write: Write): Required<Write> {
    const all = new Overlay(this.changes);
    all.apply(write);
    const put: Entry[] = [];
    const remove: string[] = [];
    for (const [key, bytes] of all.changes) {
      if (bytes) put.push({ key, bytes });
      else remove.push(key);
    }
    return { put, remove };
  }

  clear(): void {
    this.changes.clear();
  }

  has(key: string): boolean {
    return this.changes.has(key);
  }

  /** undefined: removed, or not changed. */
  get(key: string): Uint8Array | undefined {
    return this.changes.get(key);
  }

  /** @param base the environment's records of a span, in its order, without its limit */
  *merge(base: Iterable<Entry>, { from, to, backwards = false }: Span): Generator<Entry> {
    const keys = [...this.changes.keys()].filter((key) => key >= from && key < to).sort();
    if (backwards) keys.reverse();
    const isBefore = (a: string, b: string): boolean => (backwards ? a > b : a < b);
    let next = 0;
    for (const entry of base) {
      while (next < keys.length && isBefore(keys[next], entry.key)) {
        yield* this.changed(keys[next++]);
      }
      if (!this.has(entry.key)) yield entry;
    }
    while (next < keys.length) yield* this.changed(keys[next++]);
  }

  /** As `merge`, of keys. */
  *mergeKeys(base: Iterable<string>, span: Span): Generator<string> {
    for (const { key } of this.merge(asEntries(base), span)) yield key;
  }

  /** Number of records that it adds to an environment. */
  growth(environment: { has(key: string): boolean }): number {
    let sum = 0;
    for (const [key, bytes] of this.changes) {
      sum += Number(bytes !== undefined) - Number(environment.has(key));
    }
    return sum;
  }

  private changed(key: string): Entry[] {
    const bytes = this.get(key);
    return bytes ? [{ key, bytes }] : [];
  }
}

const NOTHING = new Uint8Array();

function* asEntries(keys: Iterable<string>): Generator<Entry> {
  for (const key of keys) yield { key, bytes: NOTHING };
}

/** The first entries of a sequence. */
export function firstOf<T>(items: Iterable<T>, limit = Number.POSITIVE_INFINITY): T[] {
  const list: T[] = [];
  if (limit <= 0) return list;
  for (const item of items) {
    list.push(item);
    if (list.length >= limit) break;
  }
  return list;
}

const FOLDER = 'unsynced';
/** Of each part: its length and its CRC-32. */
const HEADER = 8;

export class UnsyncedFiles {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = join(folder, FOLDER);
  }

  /** Replaces the file of a key; without parts, removes it. @throws the system's error */
  put(key: string, parts: readonly Uint8Array[]): void {
    const old = this.filesOf(key);
    if (parts.length > 0) {
      mkdirSync(this.folder, { recursive: true });
      const draft = join(this.folder, 'draft');
      const file = openSync(draft, 'w', 0o600);
      try {
        for (const part of parts) {
          const header = Buffer.alloc(HEADER);
          header.writeUInt32LE(part.length);
          header.writeUInt32LE(crc32(part), 4);
          writeSync(file, header);
          writeSync(file, part);
        }
      } finally {
        closeSync(file);
      }
      // Under a new name, as ext4 writes a file that replaces another at once.
      renameSync(draft, join(this.folder, `${nameOf(key)}.${(old[0]?.number ?? 0) + 1}`));
    }
    for (const { name } of old) rmSync(join(this.folder, name), { force: true });
  }

  /** The parts of a key's file; undefined: there is none, or it is not whole. */
  get(key: string): Uint8Array[] | undefined {
    const [latest] = this.filesOf(key);
    if (!latest) return undefined;
    const bytes = readFileSync(join(this.folder, latest.name));
    const parts: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      if (at + HEADER > bytes.length) return undefined;
      const end = at + HEADER + bytes.readUInt32LE(at);
      const part = new Uint8Array(bytes.subarray(at + HEADER, end));
      if (end > bytes.length || crc32(part) !== bytes.readUInt32LE(at + 4)) return undefined;
      parts.push(part);
      at = end;
    }
    return parts.length > 0 ? parts : undefined;
  }

  /** Latest first. */
  private filesOf(key: string): { readonly name: string; readonly number: number }[] {
    const prefix = `${nameOf(key)}.`;
    return namesIn(this.folder)
      .filter((name) => name.startsWith(prefix))
      .map((name) => ({ name, number: Number(name.slice(prefix.length)) }))
      .sort((a, b) => b.number - a.number);
  }
}

const nameOf = (key: string): string => encodeURIComponent(key);

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

export const WITNESS_FILE = 'witness';

/** @returns 0 if it is missing or damaged */
export function readWitness(folder: string): number {
  try {
    return decodeCount(readFileSync(join(folder, WITNESS_FILE)));
  } catch {
    return 0;
  }
}

export class Witness {
  private readonly file: number;

  /** @throws StoreError not-writable */
  constructor(folder: string) {
    try {
      this.file = openSync(join(folder, WITNESS_FILE), constants.O_RDWR | constants.O_CREAT);
    } catch (error) {
      throw cannotOpen(folder, error);
    }
  }

  /** Best effort: an outdated witness does no harm. */
  write(count: number): void {
    try {
      writeSync(this.file, encodeCount(count), 0, COUNT_BYTES, 0);
    } catch {
      // The write itself is stored.
    }
  }

  close(): void {
    closeSync(this.file);
  }
}

/** Larger writes go into the environment at once, bytes. */
const LOGGED_BYTES = 32_768;

/** `Records` with synchronous methods. */
export interface Table {
  get(key: string): Uint8Array | undefined;
  list(span: Span): Entry[];
  keys(span: Span): string[];
  write(write: Write): void;
  putUnsynced(key: string, parts: readonly Uint8Array[]): void;
  getUnsynced(key: string): Uint8Array[] | undefined;
  size(): number;
  /** Number of records, according to LMDB and the log. */
  count(): number;
  /** Number of writes so far. */
  writes(): number;
  close(): Promise<void>;
}

export interface TableOptions {
  readonly readOnly?: boolean;
  /** Whether another process may be writing to it; by default if it is read-only. */
  readonly live?: boolean;
  /** Also opens it if writes are missing or damaged. */
  readonly ignoreLoss?: boolean;
}

/**
 * Opens the records of an existing folder. A damaged file may also crash the process.
 *
 * @throws StoreError not-writable; damaged: unreadable, or writes are missing
 */
export function openTable(
  folder: string,
  { readOnly = false, live = readOnly, ignoreLoss = false }: TableOptions = {},
): Table {
  // In this order, as a live folder changes.
  const witnessed = readWitness(folder);
  const logged = readLog(folder);
  const environment = openEnvironment(folder, readOnly);
  const content = contentOf(logged, environment.count);
  const loss = lossOf(content, witnessed, live);
  if (loss && !ignoreLoss) {
    void environment.close();
    throw new StoreError('damaged', `The data in ${folder} ${loss}.`);
  }
  const overlay = new Overlay();
  for (const write of content.writes) overlay.apply(write);
  let count = content.last;
  let settled = environment.count;
  const witness = readOnly ? undefined : new Witness(folder);
  const log = new WriteAheadLog(folder, content.end);
  const unsynced = new UnsyncedFiles(folder);
  const space = new SpaceGuard(() => freeBytes(folder));
  const list = (span: Span) => firstOf(overlay.merge(environment.entries(span), span), span.limit);
  const settle = (write: Write, number: number): void => {
    environment.write(overlay.with(write), number);
    settled = number;
    overlay.clear();
    log.restart();
  };
  return {
    get: (key) => (overlay.has(key) ? overlay.get(key)?.slice() : environment.get(key)),
    list: (span) =>
      list(span).map(({ key, bytes }) => ({
        key,
        bytes: overlay.has(key) ? bytes.slice() : bytes,
      })),
    keys: (span) => firstOf(overlay.mergeKeys(environment.keys(span), span), span.limit),
    write(write) {
      const bytes = (write.put ?? []).reduce((sum, one) => sum + one.bytes.length, 0);
      space.require(bytes);
      try {
        if (bytes <= LOGGED_BYTES && log.append(count + 1, write)) overlay.apply(write);
        else settle(write, count + 1);
      } catch (error) {
        throw failedWrite(error);
      }
      count++;
      witness?.write(count);
    },
    putUnsynced(key, parts) {
      if (parts.length > 0) space.require(parts.reduce((sum, { length }) => sum + length, 0));
      try {
        unsynced.put(key, parts);
      } catch (error) {
        throw failedWrite(error);
      }
    },
    getUnsynced: (key) => unsynced.get(key),
    size: () => sizeOf(join(folder, DATA_FILE)) + sizeOf(join(folder, LOG_FILE)),
    count: () => environment.size() + overlay.growth(environment),
    writes: () => count,
    async close() {
      if (!readOnly) {
        try {
          // Also of writes without records, the number is kept.
          if (settled < count) settle({}, count);
        } catch {
          // The next start reads the log.
        }
        log.close(settled === count);
      }
      witness?.close();
      await environment.close();
    },
  };
}

/** What a folder has lost; the end of a sentence. */
function lossOf(
  { missing, isDamaged, last }: LogContent,
  witnessed: number,
  live: boolean,
): string | undefined {
  if (missing > 0) return `lack ${missing} writes before those of the log`;
  // In a live folder, the log may be in the middle of a write.
  if (isDamaged && !live) return 'have a damaged log';
  return witnessed > last ? `lack the last ${witnessed - last} writes` : undefined;
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

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
/** Records read at a time. */
const PART = 64;
/** Follows a key in the smallest key after it. */
const SMALLEST = '\u0000';
