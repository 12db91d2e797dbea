/** Copies what can still be read of a damaged LMDB file, in a process that may crash doing so. */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isIntact } from '../record-codec.ts';
import type { Entry, Span } from '../records.ts';
import { ROOM_KINDS, SERVER_KINDS, spanOf } from '../store.ts';
import { openTable, type Table } from './table.ts';

/** Lists the spans that were begun, in the folder of the copy; reading the last may have crashed. */
const BEGUN = 'begun';
/** Stands for opening the file. */
const FILE = 'the file';
/** Records read at a time. */
const PART = 64;
/** Bytes copied in one transaction. */
const BATCH_BYTES = 4 * 2 ** 20;

/**
 * Copies intact records. If the process crashes, call it again: it continues after the span in
 * which that happened.
 *
 * @param rooms names of rooms that may be stored there, besides those in the file
 * @returns keys of records that are damaged
 */
export async function recoverTable(
  folder: string,
  fresh: string,
  rooms: readonly string[],
): Promise<string[]> {
  const begun = new Set(linesOf(join(fresh, BEGUN)));
  const begin = (span: string): boolean => {
    if (begun.has(span)) return false;
    begun.add(span);
    appendFileSync(join(fresh, BEGUN), `${span}\n`);
    return true;
  };
  const damaged: string[] = [];
  // After a crash, another process reads the rest.
  begin(FILE);
  const into = openTable(fresh);
  try {
    const from = openTable(folder, { readOnly: true, live: false, ignoreLoss: true });
    const copy = (prefix: string): void => {
      if (begin(prefix)) copySpan(from, into, prefix, damaged);
    };
    for (const kind of SERVER_KINDS) copy(`${kind}/`);
    const stored = into.keys(spanOf('room/')).map((key) => key.slice('room/'.length));
    for (const room of new Set([...stored, ...rooms])) {
      for (const kind of ROOM_KINDS) copy(`${kind}/${room}/`);
    }
    await from.close();
  } catch {
    // Nothing can be read of it.
  }
  await into.close();
  return damaged;
}

/** Whether a process that crashed had opened the file, so that another may read more of it. */
export const hasOpened = (fresh: string): boolean => linesOf(join(fresh, BEGUN)).length > 1;

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

/** Copies from the first record on, and from the last one back to where reading failed. */
function copySpan(from: Table, into: Table, prefix: string, damaged: string[]): void {
  let batch: Entry[] = [];
  let bytes = 0;
  const write = (): void => {
    if (batch.length === 0) return;
    into.write({ put: batch });
    batch = [];
    bytes = 0;
  };
  const seen = new Set<string>();
  for (const backwards of [false, true]) {
    for (const entry of readable(from, { ...spanOf(prefix), backwards })) {
      if (seen.has(entry.key)) break;
      seen.add(entry.key);
      if (!isIntact(entry.key, entry.bytes)) {
        damaged.push(entry.key);
        continue;
      }
      batch.push(entry);
      bytes += entry.bytes.length;
      if (bytes > BATCH_BYTES) write();
    }
  }
  write();
}

/** The records of a span until reading fails or finds keys in no order. */
function* readable(table: Table, span: Span): Generator<Entry> {
  let { from, to, backwards = false } = span;
  for (let limit = PART; ; ) {
    let entries: Entry[];
    try {
      entries = table.list({ from, to, backwards, limit });
    } catch {
      // Of the records before the damaged one, each can be read alone.
      if (limit === 1) return;
      limit = 1;
      continue;
    }
    for (const entry of entries) {
      if (!(entry.key >= from && entry.key < to)) return;
      if (backwards) to = entry.key;
      else from = `${entry.key}\u0000`;
      yield entry;
    }
    if (entries.length < limit) return;
  }
}
