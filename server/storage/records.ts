/**
 * The interface of a storage backend: an ordered map from ASCII keys to bytes, sorted by the bytes
 * of the keys. `Store` defines the contents.
 */
import { StoreError } from './record-codec.ts';

/** A key with its bytes. */
export interface Entry {
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** A range of keys. */
export interface Span {
  /** First key, inclusive. */
  readonly from: string;
  /** Last key, exclusive. */
  readonly to: string;
  /** Largest first. */
  readonly backwards?: boolean;
  readonly limit?: number;
}

/** The changes of one transaction. */
export interface Write {
  readonly put?: readonly Entry[];
  readonly remove?: readonly string[];
}

/** A storage backend. */
export interface Records {
  get(key: string): Promise<Uint8Array | undefined>;
  /** The records of a span, in the order of their keys. */
  list(span: Span): Promise<Entry[]>;
  keys(span: Span): Promise<string[]>;
  /**
   * Writes atomically. When it resolves, the data survive the end of the process and a loss of
   * power. Writes take effect in order.
   *
   * @throws StoreError disk-full, write-failed, closed
   */
  write(write: Write): Promise<void>;
  /**
   * Writes a record of no room, unless there is one under its key, also if others try the same at
   * the same time. Undefined where no other process writes.
   *
   * @returns whether it was written; false also if it was, but the answer was lost
   * @throws as `write`
   */
  readonly putNew?: (entry: Entry) => Promise<boolean>;
  /**
   * Replaces what is kept under a key, apart from the records, without waiting for the disk: it
   * survives the end of the process, but perhaps not a loss of power.
   *
   * @param parts none: removes it; their buffers may be transferred, so they must not be used again
   * @throws StoreError disk-full, write-failed, closed
   */
  putUnsynced(key: string, parts: readonly Uint8Array[]): Promise<void>;
  /** What `putUnsynced` has kept; undefined: nothing, or it is not whole. */
  getUnsynced(key: string): Promise<Uint8Array[] | undefined>;
  /** Bytes used. */
  size(): Promise<number>;
  /** Resolves when all writes are done. */
  close(): Promise<void>;
}

/** What is kept apart from the records of a map. */
const unsynced = new WeakMap<Map<string, Uint8Array>, Map<string, Uint8Array[]>>();

/** Opens records in memory. @param stored holds them; pass the same map to open them again */
export function openMemory(stored = new Map<string, Uint8Array>()): Records {
  let closed = false;
  const apart = unsynced.get(stored) ?? new Map<string, Uint8Array[]>();
  unsynced.set(stored, apart);
  const check = (): void => {
    if (closed) throw new StoreError('closed', 'The store is closed.');
  };
  const list = ({ from, to, backwards, limit = Infinity }: Span): Entry[] => {
    const keys = [...stored.keys()].filter((key) => key >= from && key < to).sort();
    if (backwards) keys.reverse();
    return keys.slice(0, limit).map((key) => ({ key, bytes: stored.get(key)!.slice() }));
  };
  return {
    async get(key) {
      check();
      return stored.get(key)?.slice();
    },
    async list(span) {
      check();
      return list(span);
    },
    async keys(span) {
      check();
      return list(span).map(({ key }) => key);
    },
    async write({ put = [], remove = [] }: Write) {
      check();
      for (const { key, bytes } of put) stored.set(key, bytes.slice());
      for (const key of remove) stored.delete(key);
    },
    async putUnsynced(key, parts) {
      check();
      const copies = parts.map((part) => part.slice());
      if (copies.length > 0) apart.set(key, copies);
      else apart.delete(key);
    },
    async getUnsynced(key) {
      check();
      return apart.get(key)?.map((part) => part.slice());
    },
    async size() {
      check();
      return [...stored.values()].reduce((sum, { length }) => sum + length, 0);
    },
    async close() {
      closed = true;
    },
  };
}
