/**
 * The interface of a storage backend, an ordered map from ASCII keys to bytes, and the encoding of its
 * records. Never knows what a record means: `Store` does. Start at `Records`.
 */
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompressSync, constants, crc32 } from 'node:zlib';
import { Packr } from 'msgpackr';
import * as v from 'valibot';

/** Why a store operation failed. */
export type StoreReason =
  /** The folder cannot be created or is not writable. */
  | 'not-writable'
  /** Another server uses the folder. */
  | 'in-use'
  /** The data have a format that this version does not know. */
  | 'other-version'
  /** The data are not as they were written. */
  | 'damaged'
  /** The room was made with another checkpoint than the one given. */
  | 'other-checkpoint'
  /** The room has another size than the one given. */
  | 'other-size'
  /** The room, or that time of it, is not stored. */
  | 'not-kept'
  /** A write failed for lack of space. Nothing of it is stored; earlier data are. */
  | 'disk-full'
  /** A write failed otherwise; as `disk-full`. */
  | 'write-failed'
  /** Another process owns the room, or may own it. Nothing of it is stored; this one stops it. */
  | 'not-owner'
  /** The store of the cluster does not answer. */
  | 'unreachable'
  | 'closed';

/** A store operation failed. The message is one or two sentences for the host. */
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
 * A record has a version, a checksum of key and content, and the content as MessagePack, compressed if it
 * is large. A record under another key, or with a changed bit, is rejected.
 *
 * Raise the version when records change so that an older server would misread them.
 */
export const RECORD_VERSION = 1;
const HEADER = 5;
/** Of compression, 0…11. */
const QUALITY = 4;
/** Bytes by which a Brotli window falls short of its power of two (RFC 7932, section 9.1). */
const WINDOW_GAP = 16;

/** `moreTypes` stores typed arrays as bytes; other extensions are not needed. */
const packr = new Packr({ useRecords: false, moreTypes: true, variableMapSize: true });

const compress = promisify(brotliCompress);

/** Encodes a record. */
export function encodeRecord(key: string, value: unknown): Uint8Array {
  const content = packr.pack(value);
  const bytes = new Uint8Array(HEADER + content.length);
  bytes.set(content, HEADER);
  bytes[0] = RECORD_VERSION;
  new DataView(bytes.buffer).setUint32(1, checksum(key, content), true);
  return bytes;
}

/** Encodes a record. */
export const sealed = (key: string, value: unknown): Entry => ({
  key,
  bytes: encodeRecord(key, value),
});

/** Encodes and compresses a large record, in another thread. */
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
 * The smallest window, as a power of two, that covers all content. Brotli allocates twice the window
 * for each compression, 8 MB by default, and some twenty records are compressed at the same time.
 */
const windowFor = (bytes: number): number =>
  Math.min(
    constants.BROTLI_DEFAULT_WINDOW,
    Math.max(constants.BROTLI_MIN_WINDOW_BITS, Math.ceil(Math.log2(bytes + WINDOW_GAP))),
  );

/** Decodes a record. @throws StoreError damaged, other-version */
export function decodeRecord(key: string, bytes: Uint8Array): unknown {
  if (!isIntact(key, bytes)) throw new StoreError('damaged', `The record "${key}" is damaged.`);
  if (bytes[0] !== RECORD_VERSION) {
    throw new StoreError(
      'other-version',
      `The record "${key}" is of version ${bytes[0]}; this server reads version ${RECORD_VERSION}: choose another --data, or run the version that stored it.`,
    );
  }
  const value: unknown = packr.unpack(bytes.subarray(HEADER));
  return isCompressed(value) ? packr.unpack(brotliDecompressSync(value.brotli)) : value;
}

const isCompressed = (value: unknown): value is { brotli: Uint8Array } =>
  typeof value === 'object' && value !== null && 'brotli' in value;

/** Whether a record matches its checksum. */
export function isIntact(key: string, bytes: Uint8Array): boolean {
  if (bytes.length <= HEADER) return false;
  const stored = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1, true);
  return checksum(key, bytes.subarray(HEADER)) === stored;
}

/** Excludes the version, which must be readable before the rest. */
function checksum(key: string, content: Uint8Array): number {
  return crc32(content, crc32(key));
}

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

/** The unsynced parts beside the records of a map. */
const unsynced = new WeakMap<Map<string, Uint8Array>, Map<string, Uint8Array[]>>();

const copiesOf = (parts: readonly Uint8Array[]) => parts.map((part) => part.slice());

/** Opens records in memory. @param stored holds them; pass the same map to open them again */
export function openMemory(stored = new Map<string, Uint8Array>()): Records {
  let closed = false;
  const apart = unsynced.get(stored) ?? new Map<string, Uint8Array[]>();
  unsynced.set(stored, apart);
  /** Makes a method that rejects once the records are closed. */
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

/** A number in a key, so that keys sort as numbers do. */
export const padded = (n: number): string => n.toString().padStart(12, '0');

/** The cells of an organism that were stored with the snapshot of a tick. */
export const cellsKey = (room: string, organism: number, tick: number): string =>
  `cells/${room}/${padded(organism)}/${padded(tick)}`;

/** What is kept of a room without waiting for the disk. */
export const recentKey = (room: string): string => `recent/${room}`;

/** Decodes a record. @throws StoreError damaged, other-version */
export function parsed<T>(key: string, bytes: Uint8Array, schema: v.GenericSchema<unknown, T>): T {
  const result = v.safeParse(schema, decodeRecord(key, bytes), { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue as never) ?? 'value';
  // It is as it was written, so not damaged.
  throw new StoreError(
    'other-version',
    `The record "${key}" is not in this server's format (${where}: ${issue.message}): choose another --data, or run the version that stored it.`,
  );
}

const BYTES = Float32Array.BYTES_PER_ELEMENT;
/** Size above which a difference is not worth its base, as a share of the cells' bytes. */
const MAX_DIFFERENCE = 0.7;

/** [stage, stage, C] in 32 bits, as rounded cells would grow differently. */
export const cellStates = v.custom<Float32Array>((value) => value instanceof Float32Array);

/**
 * The cells of one organism. What heals comes near to what it was: the differences to its cells in an
 * earlier record, as those of integers, have mostly zeros in their upper bytes, and compression finds them
 * once bytes of the same significance stand together. The lower bytes have no pattern.
 */
export const cellsRecord = v.strictObject({
  /** First byte of each word, then second byte of each, and so on; little-endian. */
  planes: v.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.length % BYTES === 0,
  ),
  /** The words are differences to the cells of the same organism, stored at this tick. */
  base: v.optional(v.number()),
});

/** Cells to be stored. */
export interface NewCells {
  readonly id: number;
  readonly state: Float32Array;
  /** Earlier cells, and the tick of their record, which has no base itself. */
  readonly base?: { readonly tick: number; readonly state: Float32Array } | undefined;
}

/** @returns the record, and the tick of its base if it needs one */
export async function encodeCells(
  key: string,
  { state, base }: NewCells,
): Promise<{ readonly entry: Entry; readonly base?: number }> {
  if (base && base.state.length === state.length) {
    const differences = minus(wordsOf(state), wordsOf(base.state));
    const entry = await compressed(key, { planes: planesOf(differences), base: base.tick });
    if (entry.bytes.length <= MAX_DIFFERENCE * state.byteLength) return { entry, base: base.tick };
  }
  return { entry: await compressed(key, { planes: planesOf(wordsOf(state)) }) };
}

/**
 * Decodes cells, bit for bit as they were.
 *
 * @param read returns the record's base
 */
export async function decodeCells(
  record: v.InferOutput<typeof cellsRecord>,
  read: (tick: number) => Promise<Float32Array>,
): Promise<Float32Array> {
  const words = wordsIn(record.planes);
  if (record.base === undefined) return new Float32Array(words.buffer);
  return new Float32Array(plus(words, wordsOf(await read(record.base))).buffer);
}

type Words = Int32Array<ArrayBuffer>;

const wordsOf = (state: Float32Array): Words => new Int32Array(state.slice().buffer);

/** Makes differences modulo 2³² of words; the sign is the lowest bit, so that small ones are small. */
function minus(words: Words, base: Words): Words {
  for (let i = 0; i < words.length; i++) {
    const difference = (words[i] - base[i]) | 0;
    words[i] = (difference << 1) ^ (difference >> 31);
  }
  return words;
}

/** The inverse of `minus`. */
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
