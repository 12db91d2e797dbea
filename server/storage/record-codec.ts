/**
 * Encodes records: a version, a checksum of key and content, and the content as MessagePack. A
 * record under another key, or with a changed bit, is rejected.
 */
import { crc32 } from 'node:zlib';
import { Packr } from 'msgpackr';
import { StoreError } from './store-error.ts';

/** Raise it when records change so that an older server would misread them. */
export const RECORD_VERSION = 1;
const HEADER = 5;

/** `moreTypes` stores typed arrays as bytes; other extensions are not needed. */
const packr = new Packr({ useRecords: false, moreTypes: true, variableMapSize: true });

/** Encodes a record. */
export function encodeRecord(key: string, value: unknown): Uint8Array {
  const content = packr.pack(value);
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
      `The record "${key}" is of version ${bytes[0]}; this server reads version ${RECORD_VERSION}.`,
    );
  }
  return packr.unpack(bytes.subarray(HEADER));
}

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
