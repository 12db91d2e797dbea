/**
 * The seam to what keeps bytes: an ordered map from keys to records. Keys are ASCII, in the order of their bytes; what the
 * records mean is `Store`'s business.
 */

export interface Entry {
  readonly key: string;
  readonly bytes: Uint8Array;
}

export interface Span {
  /** First key, if there is one of that name. */
  readonly from: string;
  /** Keys from here on are left out. */
  readonly to: string;
  /** Largest first. */
  readonly backwards?: boolean;
  readonly limit?: number;
}

export interface Write {
  readonly put?: readonly Entry[];
  readonly remove?: readonly string[];
}

export interface Records {
  get(key: string): Promise<Uint8Array | undefined>;
  /** The records of a span, in the order of their keys. */
  list(span: Span): Promise<Entry[]>;
  keys(span: Span): Promise<string[]>;
  /**
   * All of it takes effect, or nothing; when it resolves, it outlives the process and a loss of power. Writes take effect in
   * their order.
   *
   * @throws StoreError disk-full, write-failed, closed
   */
  write(write: Write): Promise<void>;
  /** Bytes that it takes up. */
  size(): Promise<number>;
  /** Ends when all writes are kept. */
  close(): Promise<void>;
}
