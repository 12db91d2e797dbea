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
  /** Bytes used. */
  size(): Promise<number>;
  /** Resolves when all writes are done. */
  close(): Promise<void>;
}
