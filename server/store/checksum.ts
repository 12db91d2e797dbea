/** What a replay proves itself by. */
import { crc32 } from 'node:zlib';
import type { Planes } from '../../shared/codec/planes.ts';

/** 32 bits of what everybody sees: colours, then owners. */
export function checksumOf({ rgba, owner }: Planes): number {
  const owners = new Uint8Array(owner.buffer, owner.byteOffset, owner.byteLength);
  return crc32(owners, crc32(rgba));
}
