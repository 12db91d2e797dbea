/**
 * Encodes records: a version, a checksum of key and content, and the content as MessagePack,
 * compressed if it is large. A record under another key, or with a changed bit, is rejected.
 */
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompressSync, constants, crc32 } from 'node:zlib';
import { Packr } from 'msgpackr';

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

/** Raise it when records change so that an older server would misread them. */
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
  return seal(key, packr.pack(value));
}

/** Encodes and compresses a record; other threads do the work. */
export async function encodeCompressed(key: string, value: unknown): Promise<Uint8Array> {
  const content = packr.pack(value);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    [constants.BROTLI_PARAM_LGWIN]: windowFor(content.length),
  };
  return encodeRecord(key, { brotli: await compress(content, { params }) });
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

function seal(key: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + content.length);
  bytes.set(content, HEADER);
  bytes[0] = RECORD_VERSION;
  new DataView(bytes.buffer).setUint32(1, checksum(key, content), true);
  return bytes;
}

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
