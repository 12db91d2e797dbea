/**
 * Defines the interface of a storage back end (an ordered map from ASCII keys to bytes) and the
 * encoding of records. Start reading at `Records`.
 */
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompressSync, constants, crc32 } from 'node:zlib';
import { Packr } from 'msgpackr';
import * as v from 'valibot';

export type StoreReason =
  /** The folder cannot be created or is not writable. */
  | 'not-writable'
  /** Another server uses the folder. */
  | 'in-use'
  /** The data have a format that this version of Vivarium does not know. */
  | 'other-version'
  /** The data differ from what was written. */
  | 'damaged'
  /** The room was made with a checkpoint other than the requested one. */
  | 'other-checkpoint'
  /** The room's size differs from the requested size. */
  | 'other-size'
  /** The room, or the room's state at the requested time, is not stored. */
  | 'not-kept'
  /** A write failed because the disk is full. Nothing was written. */
  | 'disk-full'
  /** A write failed for a reason other than a full disk. Nothing was written. */
  | 'write-failed'
  /** A write was refused because another process may be running the room. Nothing was written. */
  | 'not-owner'
  /** Valkey does not answer. */
  | 'unreachable'
  | 'closed';

/** Failure of a store operation. The message is one or two sentences for the host. */
export class StoreError extends Error {
  override readonly name = 'StoreError';

  constructor(
    readonly reason: StoreReason,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Version of the record format. Raise it if older servers would misread the new format.
 *
 * Layout of a record: this version (one byte), a CRC-32 of key and content (four bytes), and the
 * content (MessagePack, compressed if large).
 */
export const RECORD_VERSION = 1;
const HEADER = 5;
/** Brotli quality, 0 to 11. */
const QUALITY = 4;
/** A Brotli window of 2ⁿ bytes covers only 2ⁿ − 16 bytes (RFC 7932, section 9.1). */
const WINDOW_GAP = 16;

/** The option `moreTypes` stores typed arrays as bytes. */
const packr = new Packr({ useRecords: false, moreTypes: true, variableMapSize: true });

const compress = promisify(brotliCompress);

export function encodeRecord(key: string, value: unknown): Uint8Array {
  const content = packr.pack(value);
  const bytes = new Uint8Array(HEADER + content.length);
  bytes.set(content, HEADER);
  bytes[0] = RECORD_VERSION;
  new DataView(bytes.buffer).setUint32(1, checksum(key, content), true);
  return bytes;
}

/** Encodes a record and pairs it with its key. */
export const sealed = (key: string, value: unknown): Entry => ({
  key,
  bytes: encodeRecord(key, value),
});

/** Encodes a large record, and compresses it in another thread. */
export async function compressed(key: string, value: unknown): Promise<Entry> {
  const content = packr.pack(value);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    [constants.BROTLI_PARAM_LGWIN]: windowFor(content.length),
  };
  return sealed(key, { brotli: await compress(content, { params }) });
}

/**
 * Returns the size of the smallest Brotli window that covers a whole record, as log2 of bytes.
 * Small windows save memory while many records are compressed at the same time.
 */
const windowFor = (bytes: number): number =>
  Math.min(
    constants.BROTLI_DEFAULT_WINDOW,
    Math.max(constants.BROTLI_MIN_WINDOW_BITS, Math.ceil(Math.log2(bytes + WINDOW_GAP))),
  );

/** Decodes a record of any type. @throws StoreError damaged, other-version */
export function decodeRecord(key: string, bytes: Uint8Array): unknown {
  if (!isIntact(key, bytes)) throw new StoreError('damaged', `The record "${key}" is damaged.`);
  if (bytes[0] !== RECORD_VERSION) {
    const text = `The record "${key}" has version ${bytes[0]}, but this server reads version ${RECORD_VERSION}. Choose another folder with --data, or run the version of Vivarium that stored the record.`;
    throw new StoreError('other-version', text);
  }
  const value: unknown = packr.unpack(bytes.subarray(HEADER));
  const { brotli } = Object(value) as { brotli?: Uint8Array };
  return brotli ? packr.unpack(brotliDecompressSync(brotli)) : value;
}

/** Whether a record matches its checksum. */
export function isIntact(key: string, bytes: Uint8Array): boolean {
  if (bytes.length <= HEADER) return false;
  const stored = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1, true);
  return checksum(key, bytes.subarray(HEADER)) === stored;
}

/** Computes the CRC-32 of a record's key and content. */
function checksum(key: string, content: Uint8Array): number {
  return crc32(content, crc32(key));
}

export interface Entry {
  readonly key: string;
  readonly bytes: Uint8Array;
}

export interface Span {
  /** Lower end of the range, inclusive. */
  readonly from: string;
  /** Upper end of the range, exclusive. */
  readonly to: string;
  /** Whether to begin with the largest key. */
  readonly backwards?: boolean;
  readonly limit?: number;
}

/** The changes of one transaction. */
export interface Write {
  readonly put?: readonly Entry[];
  readonly remove?: readonly string[];
}

export interface Records {
  get(key: string): Promise<Uint8Array | undefined>;
  /** Reads the records in a range of keys, ordered by key. */
  list(span: Span): Promise<Entry[]>;
  keys(span: Span): Promise<string[]>;
  /**
   * Writes all changes or none. Resolves when a power failure can no longer lose the changes.
   * Several writes take effect in the order of the calls.
   *
   * @throws StoreError 'disk-full', 'write-failed' or 'closed'
   */
  write(write: Write): Promise<void>;
  /**
   * Writes a server-wide record, unless a record with this key exists. If several processes call
   * this method at the same time, only one call succeeds. Undefined if only one process can write
   * to the storage.
   *
   * @returns true if this call wrote the record. False if the key existed or, rarely, if the
   *   storage's answer was lost after this call wrote the record
   * @throws the same errors as `write`
   */
  readonly putNew?: (entry: Entry) => Promise<boolean>;
  /**
   * Replaces the byte arrays (parts) stored under a key. Parts are stored separately from records,
   * and a power failure may lose them.
   *
   * @param parts the new parts; if empty, the stored parts are removed. Do not use the parts after
   *   the call, because their buffers may move to another thread.
   * @throws StoreError 'disk-full', 'write-failed' or 'closed'
   */
  putUnsynced(key: string, parts: readonly Uint8Array[]): Promise<void>;
  /**
   * Reads the parts that `putUnsynced` last stored under a key; undefined if they are missing or
   * incomplete.
   */
  getUnsynced(key: string): Promise<Uint8Array[] | undefined>;
  /** Returns the total size of the stored data, in bytes. */
  size(): Promise<number>;
  /** Closes the storage. Resolves when all writes are done. */
  close(): Promise<void>;
}

/**
 * Parts stored with `putUnsynced` in storages in memory. The outer key is the map with a storage's
 * records, which identifies the storage. The inner key is the key of the parts.
 */
const unsynced = new WeakMap<Map<string, Uint8Array>, Map<string, Uint8Array[]>>();

const copiesOf = (parts: readonly Uint8Array[]) => parts.map((part) => part.slice());

/**
 * Creates a storage in memory, for servers and tests that store nothing on disk.
 *
 * @param stored map that holds the records; pass the same map to open the same storage again
 */
export function openMemory(stored = new Map<string, Uint8Array>()): Records {
  let closed = false;
  const apart = unsynced.get(stored) ?? new Map<string, Uint8Array[]>();
  unsynced.set(stored, apart);
  /** Wraps a method so that it rejects after the storage was closed. */
  const method =
    <A extends readonly unknown[], T>(work: (...args: A) => T) =>
    async (...args: A): Promise<T> => {
      if (closed) throw new StoreError('closed', 'The store is closed.');
      return work(...args);
    };
  const keys = ({ from, to, backwards, limit = Infinity }: Span): string[] => {
    const found = [...stored.keys()].filter((key) => key >= from && key < to).sort();
    return (backwards ? found.reverse() : found).slice(0, limit);
  };
  return {
    get: method((key: string) => stored.get(key)?.slice()),
    list: method((span: Span) =>
      keys(span).map((key) => ({ key, bytes: stored.get(key)!.slice() })),
    ),
    keys: method(keys),
    write: method(({ put = [], remove = [] }: Write) => {
      for (const { key, bytes } of put) stored.set(key, bytes.slice());
      for (const key of remove) stored.delete(key);
    }),
    putUnsynced: method((key: string, parts: readonly Uint8Array[]) => {
      if (parts.length > 0) apart.set(key, copiesOf(parts));
      else apart.delete(key);
    }),
    getUnsynced: method((key: string) => (apart.has(key) ? copiesOf(apart.get(key)!) : undefined)),
    size: method(() => [...stored.values()].reduce((sum, { length }) => sum + length, 0)),
    async close() {
      closed = true;
    },
  };
}

/** Formats a number for a key, with leading zeros, so that keys sort numerically. */
export const padded = (n: number): string => n.toString().padStart(12, '0');

/** Returns the key under which an organism's cells are stored with the snapshot of a tick. */
export const cellsKey = (room: string, organism: number, tick: number): string =>
  `cells/${room}/${padded(organism)}/${padded(tick)}`;

/** Returns the key of a room's recent snapshot, which is not synced to disk. */
export const recentKey = (room: string): string => `recent/${room}`;

/**
 * Decodes a record, and checks the result against a schema.
 *
 * @throws StoreError 'damaged', or 'other-version' if the record has another format
 */
export function parsed<T>(key: string, bytes: Uint8Array, schema: v.GenericSchema<unknown, T>): T {
  const result = v.safeParse(schema, decodeRecord(key, bytes), { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue as never) ?? 'value';
  // The checksum matches, so the record is not damaged but has another format.
  const text = `The record "${key}" is not in this server's format (${where}: ${issue.message}). Choose another folder with --data, or run the version of Vivarium that stored the record.`;
  throw new StoreError('other-version', text);
}

const BYTES = Float32Array.BYTES_PER_ELEMENT;
/**
 * If a difference from earlier cells is larger than this share of the full cells, the full cells
 * are stored.
 */
const MAX_DIFFERENCE = 0.7;

/**
 * Cell states of an organism, [stage, stage, C]; stage is the side of the patch, in cells. Not
 * rounded, because organisms with rounded cells would develop differently.
 */
export const cellStates = v.custom<Float32Array>((value) => value instanceof Float32Array);

/**
 * The cells of one organism, as 32-bit words. The words' bytes are reordered to compress better.
 */
export const cellsRecord = v.strictObject({
  /** The lowest bytes of all words, then the second-lowest bytes of all words, and so on. */
  planes: v.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.length % BYTES === 0,
  ),
  /**
   * If set, the words are differences from the cells in the snapshot of this tick. If absent, the
   * words are the cells themselves.
   */
  base: v.optional(v.number()),
});

export interface NewCells {
  readonly id: number;
  readonly state: Float32Array;
  /**
   * Earlier cells of the organism, stored in full (not as a difference) in the snapshot of `tick`.
   */
  readonly base?: { readonly tick: number; readonly state: Float32Array } | undefined;
}

/**
 * Encodes cells as a difference from the base if the record is then clearly smaller; otherwise
 * encodes them in full.
 *
 * @returns `entry`: the record; `base`: the base's tick if `entry` contains a difference
 */
export async function encodeCells(key: string, { state, base }: NewCells) {
  if (base && base.state.length === state.length) {
    const differences = minus(wordsOf(state), wordsOf(base.state));
    const entry = await compressed(key, { planes: planesOf(differences), base: base.tick });
    if (entry.bytes.length <= MAX_DIFFERENCE * state.byteLength) return { entry, base: base.tick };
  }
  return { entry: await compressed(key, { planes: planesOf(wordsOf(state)) }) };
}

/**
 * Decodes cells exactly, bit for bit.
 *
 * @param base the earlier cells, if the record contains a difference from earlier cells
 */
export function decodeCells(
  { planes }: v.InferOutput<typeof cellsRecord>,
  base?: Float32Array,
): Float32Array {
  const words = wordsIn(planes);
  return new Float32Array((base ? plus(words, wordsOf(base)) : words).buffer);
}

type Words = Int32Array<ArrayBuffer>;

const wordsOf = (state: Float32Array): Words => new Int32Array(state.slice().buffer);

/**
 * Replaces words by their differences from `base`, modulo 2³². Zigzag encoding puts the sign into
 * the lowest bit, so that the upper bytes of small differences are zero.
 */
function minus(words: Words, base: Words): Words {
  for (let i = 0; i < words.length; i++) {
    const difference = (words[i] - base[i]) | 0;
    words[i] = (difference << 1) ^ (difference >> 31);
  }
  return words;
}

/** Restores the words that `minus` has replaced. */
function plus(differences: Words, base: Words): Words {
  for (let i = 0; i < differences.length; i++) {
    differences[i] = base[i] + ((differences[i] >>> 1) ^ -(differences[i] & 1));
  }
  return differences;
}

function planesOf({ buffer }: Words): Uint8Array {
  const bytes = new Uint8Array(buffer);
  const planes = new Uint8Array(bytes.length);
  for (let byte = 0, to = 0; byte < BYTES; byte++) {
    for (let from = byte; from < bytes.length; from += BYTES) planes[to++] = bytes[from];
  }
  return planes;
}

function wordsIn(planes: Uint8Array): Words {
  const bytes = new Uint8Array(planes.length);
  for (let byte = 0, from = 0; byte < BYTES; byte++) {
    for (let to = byte; to < bytes.length; to += BYTES) bytes[to] = planes[from++];
  }
  return new Int32Array(bytes.buffer);
}
