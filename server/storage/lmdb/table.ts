/**
 * Records in an LMDB environment with a write-ahead log, in this thread. Every write is on disk
 * when it returns: a small one in the log, a large one in the environment, with all before it.
 */
import { closeSync, constants, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '../record-codec.ts';
import type { Entry, Span, Write } from '../records.ts';
import {
  COUNT_BYTES,
  cannotOpen,
  DATA_FILE,
  decodeCount,
  encodeCount,
  failedWrite,
  freeBytes,
  openEnvironment,
  SpaceGuard,
} from './environment.ts';
import { firstOf, Overlay, UnsyncedFiles } from './overlay.ts';
import { contentOf, LOG_FILE, type LogContent, readLog, WriteAheadLog } from './write-ahead-log.ts';

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
