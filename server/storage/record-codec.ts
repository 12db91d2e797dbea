/**
 * Records as bytes: a version, a checksum over key and content, and the content in MessagePack. A record that lies under
 * another key, or of which one bit has changed, cannot be opened.
 */
import { crc32 } from 'node:zlib';
import { Packr } from 'msgpackr';
import { StoreError } from './store-error.ts';

/** Raised when records change so that an older server would misread them. */
export const RECORD_VERSION = 1;
const HEADER = 5;

/** Typed arrays are kept as their bytes; nothing else needs an extension. */
const packr = new Packr({ useRecords: false, moreTypes: true, variableMapSize: true });

export function encodeRecord(key: string, value: unknown): Uint8Array {
  const content = packr.pack(value);
  const bytes = new Uint8Array(HEADER + content.length);
  bytes.set(content, HEADER);
  bytes[0] = RECORD_VERSION;
  new DataView(bytes.buffer).setUint32(1, checksum(key, content), true);
  return bytes;
}

/** @throws StoreError damaged, other-version */
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

/** Whether a record is as it was written. */
export function isIntact(key: string, bytes: Uint8Array): boolean {
  if (bytes.length <= HEADER) return false;
  const kept = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1, true);
  return checksum(key, bytes.subarray(HEADER)) === kept;
}

/** The version is not in it: it has to be read before anything else can be. */
function checksum(key: string, content: Uint8Array): number {
  return crc32(content, crc32(key));
}
