/**
 * Verifies the data in a folder, and replaces a damaged data file by a copy of its readable
 * records. Unverified data are read only in a separate process (`probe.ts`), because reading
 * damaged data can crash the process. Start reading at `inspect`.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { askChild } from '../../platform/worker-rpc.ts';
import { type Entry, isIntact, type Span, StoreError } from '../records.ts';
import { ROOM_KINDS, SERVER_KINDS, spanOf } from '../store.ts';
import { freeBytes } from './disk-space.ts';
import { DATA_FILE, keyAfter, openTable, type Table, WITNESS_FILE } from './table.ts';
import { LOG_FILE, syncFolder } from './write-ahead-log.ts';

/**
 * File in the copy's folder. A process adds each key prefix to the file before it copies the
 * records with this prefix. If the process crashes, the next process skips all prefixes in the
 * file.
 */
const BEGUN = 'begun';
/** First line of the file `BEGUN`, written before the damaged data file is opened. */
const FILE = 'the file';
/** Maximum number of records read at a time. */
const PART = 64;
/** Size after which a transaction that copies records is committed, in bytes. */
const BATCH_BYTES = 4 * 2 ** 20;

/**
 * Copies all intact records of a damaged file. If the process crashes, call this function again in
 * a new process. The new process continues after the key prefix at which the old process crashed.
 *
 * @param fresh folder of the copy
 * @param rooms names of rooms to look for, in addition to rooms with a readable `room/` record
 * @returns keys of damaged records
 * @throws StoreError 'not-writable' if the copy cannot be written
 */
export async function recoverTable(folder: string, fresh: string, rooms: readonly string[]) {
  const begun = begunIn(fresh);
  const begin = (span: string): boolean => {
    if (begun.has(span)) return false;
    begun.add(span);
    fs.appendFileSync(join(fresh, BEGUN), `${span}\n`);
    return true;
  };
  const damaged: string[] = [];
  // Ignore the result, which says whether an earlier process has already begun this step: every
  // process must open the damaged file.
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
  } catch (error) {
    if (error instanceof StoreError && error.reason === 'not-writable') throw error;
    // The damaged file cannot be read any further. Keep the records copied so far.
  }
  await into.close();
  return damaged;
}

function begunIn(fresh: string): Set<string> {
  try {
    return new Set(fs.readFileSync(join(fresh, BEGUN), 'utf8').split('\n').filter(Boolean));
  } catch {
    return new Set();
  }
}

/**
 * Copies the records with a key prefix: first forwards from the first record, then backwards from
 * the last. Each pass ends when reading fails, so records on both sides of a damaged place are
 * found.
 */
function copySpan(from: Table, into: Table, prefix: string, damaged: string[]): void {
  let batch: Entry[] = [];
  let bytes = 0;
  const write = (): void => {
    try {
      if (batch.length > 0) into.write({ put: batch });
    } catch (error) {
      const { message } = error as Error;
      throw new StoreError('not-writable', `The copy of the data cannot be written: ${message}.`);
    }
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

/**
 * Yields the records in a range of keys, until reading fails or returns a key outside the range.
 */
function* readable(table: Table, span: Span): Generator<Entry> {
  let { from, to, backwards = false } = span;
  for (let limit = PART; ; ) {
    let entries: Entry[];
    try {
      entries = table.list({ from, to, backwards, limit });
    } catch {
      // Reading several records has failed. Read one record at a time, up to the damaged record.
      if (limit === 1) return;
      limit = 1;
      continue;
    }
    for (const entry of entries) {
      if (!(entry.key >= from && entry.key < to)) return;
      if (backwards) to = entry.key;
      else from = keyAfter(entry.key);
      yield entry;
    }
    if (entries.length < limit) return;
  }
}

/** Result of verifying a data folder, sent by the process that runs `probe.ts`. */
export interface Findings {
  /** Keys of damaged records. */
  readonly damaged: readonly string[];
  /** Whether the records were copied to a new file. */
  readonly copied: boolean;
  /** Set if the data cannot be read at all. */
  readonly failure?: { readonly reason: 'damaged' | 'not-writable'; readonly message: string };
}

/** Folder for a copy of the data file, inside the data folder. */
const FRESH = 'fresh';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * Verifies all records of a folder, in a separate process.
 *
 * @param options.renew whether to replace the data file by a fresh copy of its records. If true, no
 *   process may have the folder open.
 * @returns keys of damaged records
 * @throws StoreError 'damaged' if the data cannot be read; 'not-writable' if this user may not open
 *   the data
 */
export async function inspect(folder: string, { renew = false } = {}): Promise<readonly string[]> {
  const file = join(folder, DATA_FILE);
  const fresh = join(folder, FRESH);
  if (renew) fs.rmSync(fresh, { recursive: true, force: true });
  if (!fs.existsSync(file)) return [];
  if (!renew || !hasSpace(folder)) return (await probe(folder)).damaged;
  fs.mkdirSync(fresh);
  try {
    const { damaged, copied } = await probe(folder, fresh);
    if (copied) {
      fs.renameSync(join(fresh, DATA_FILE), file);
      // Sync the folder, so that a power failure cannot bring back the old data file. The log of
      // writes will match only the new data file.
      syncFolder(folder);
    }
    return damaged;
  } finally {
    fs.rmSync(fresh, { recursive: true, force: true });
  }
}

/** Maximum time for one attempt to read a damaged file, in ms. */
const RECOVER_PATIENCE = 300_000;
/**
 * Maximum number of attempts to copy a damaged file. After the last attempt, the records copied so
 * far are used.
 */
const MAX_CRASHES = 40;

/**
 * File that marks a copy as complete. Without this file, the copy must not replace the damaged data
 * file.
 */
const WHOLE_FILE = 'whole';
const FILES = [DATA_FILE, WITNESS_FILE, LOG_FILE];

/** Content of the file `WHOLE_FILE`: how to replace a damaged data file by its copy. */
interface Replacement {
  /** Folder to which the damaged files are moved; must not exist yet. */
  readonly aside: string;
  /** Names of the files that the copy contains; a subset of `FILES`. */
  readonly files: readonly string[];
  /** A sentence that describes the damage. */
  readonly why: string;
}

/**
 * Replaces a damaged data file by a copy of its readable records. No process may have the folder
 * open.
 *
 * @param damage.rooms names of rooms that the file may contain
 * @returns keys of the damaged records, which the copy lacks; undefined if no copy could be written
 *   and the damaged file is unchanged
 */
export async function recoverFile(
  folder: string,
  { rooms, ...damage }: Omit<Replacement, 'files'> & { readonly rooms: readonly string[] },
): Promise<readonly string[] | undefined> {
  const fresh = join(folder, FRESH);
  if (!hasSpace(folder)) return undefined;
  fs.rmSync(fresh, { recursive: true, force: true });
  fs.mkdirSync(fresh);
  const damaged: string[] = [];
  for (let crashes = 0; crashes < MAX_CRASHES; crashes++) {
    const found = await probe(folder, fresh, 'recover', ...rooms).catch(
      (error: StoreError) => error,
    );
    if (!(found instanceof StoreError)) {
      damaged.push(...found.damaged);
      break;
    }
    if (found.reason === 'not-writable') {
      fs.rmSync(fresh, { recursive: true, force: true });
      return undefined;
    }
    // `begunIn` lists the damaged file and then each key prefix whose records a process began to
    // copy. If it lists no prefix, the process crashed while opening the file, so do not retry.
    // Otherwise, retry: the next process skips the listed prefixes.
    if (begunIn(fresh).size <= 1) break;
  }
  const files = FILES.filter((name) => fs.existsSync(join(fresh, name)));
  const replacement: Replacement = { ...damage, files };
  fs.writeFileSync(join(fresh, WHOLE_FILE), JSON.stringify(replacement), { flush: true });
  syncFolder(fresh);
  replaceFiles(folder, replacement);
  return damaged;
}

/**
 * If a process was killed while it replaced a damaged data file, completes the replacement. No
 * process may have the folder open.
 *
 * @param aside folder to move the damaged file to; by default, the folder that the killed process
 *   chose
 * @returns a sentence that describes the damage; undefined if there was nothing to complete
 */
export function resumeRecovery(folder: string, aside?: string): string | undefined {
  let replacement: Replacement;
  try {
    replacement = JSON.parse(fs.readFileSync(join(folder, FRESH, WHOLE_FILE), 'utf8'));
  } catch {
    // Without a readable file `WHOLE_FILE`, no replacement has begun.
    return undefined;
  }
  if (aside && fs.existsSync(replacement.aside)) fs.renameSync(replacement.aside, aside);
  replaceFiles(folder, { ...replacement, ...(aside && { aside }) });
  return replacement.why;
}

/**
 * Moves the damaged files to another folder, and moves the files of the copy into the data folder.
 * If the process is killed meanwhile, another call completes the moves.
 */
function replaceFiles(folder: string, { aside, files }: Replacement): void {
  const fresh = join(folder, FRESH);
  fs.mkdirSync(aside, { recursive: true });
  for (const name of FILES) {
    const isReplaced = files.includes(name) && !fs.existsSync(join(fresh, name));
    if (isReplaced) continue;
    if (fs.existsSync(join(folder, name))) fs.renameSync(join(folder, name), join(aside, name));
    if (fs.existsSync(join(fresh, name))) fs.renameSync(join(fresh, name), join(folder, name));
  }
  for (const changed of [aside, folder]) syncFolder(changed);
  fs.rmSync(join(folder, 'lock.mdb'), { force: true });
  fs.rmSync(fresh, { recursive: true, force: true });
}

/** Whether the disk has enough space, with a margin, for a copy of the folder's data file. */
function hasSpace(folder: string): boolean {
  const { size = 0 } = fs.statSync(join(folder, DATA_FILE), { throwIfNoEntry: false }) ?? {};
  return size === 0 || freeBytes(folder) > 1.5 * size;
}

async function probe(folder: string, ...more: string[]): Promise<Findings> {
  const module = new URL('./probe.mjs', import.meta.url);
  const findings = await askChild<Findings>(module, [folder, ...more], {
    cwd: root,
    execArgv: [],
    ...(more.includes('recover') && { patience: RECOVER_PATIENCE }),
  }).catch(({ message }: Error) => {
    const text = `The data in ${folder} are damaged: the data could not be read (${message}).`;
    throw new StoreError('damaged', text);
  });
  const { failure } = findings;
  if (failure) throw new StoreError(failure.reason, failure.message);
  return findings;
}
