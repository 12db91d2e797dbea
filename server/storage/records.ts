/**
 * The interface of a storage backend: an ordered map from ASCII keys to bytes, sorted by the bytes
 * of the keys. `Store` defines the contents.
 */

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
