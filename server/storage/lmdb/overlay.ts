/** Changes that are in the log and not yet in the environment. */

import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Entry, Span, Write } from '../records.ts';

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
