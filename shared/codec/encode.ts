/** Encodes planes to frames: once per tick, for everybody. Pure, but for the deflater passed in. */
import { chunkCount, chunkRect } from './chunks.ts';
import {
  CHUNK_OWNER,
  CHUNK_RGBA,
  FRAME_HEADER_BYTES,
  FRAME_MAGIC,
  FRAME_VERSION,
  type FrameKind,
} from './frame.ts';
import type { Planes } from './planes.ts';

/** Raw deflate (RFC 1951). */
export type Deflate = (bytes: Uint8Array) => Uint8Array;

/** XOR of one chunk of both planes against a base, split into byte planes; only what changed. */
function encodeChunk(planes: Planes, base: Planes | undefined, index: number) {
  const rect = chunkRect(planes, index);
  const cells = rect.width * rect.height;
  const rgba = new Uint8Array(cells * 4);
  const owner = new Uint8Array(cells * 4);
  let anyRgba = 0;
  let anyOwner = 0;
  let cell = 0;
  for (let y = rect.y; y < rect.y + rect.height; y++) {
    for (let x = rect.x; x < rect.x + rect.width; x++, cell++) {
      const place = y * planes.width + x;
      for (let c = 0; c < 4; c++) {
        const i = place * 4 + c;
        const d = planes.rgba[i] ^ (base ? base.rgba[i] : 0);
        rgba[c * cells + cell] = d;
        anyRgba |= d;
      }
      const d = planes.owner[place] ^ (base ? base.owner[place] : 0);
      anyOwner |= d;
      owner[cell] = d;
      owner[cells + cell] = d >>> 8;
      owner[2 * cells + cell] = d >>> 16;
      owner[3 * cells + cell] = d >>> 24;
    }
  }
  const parts: Uint8Array[] = [];
  if (anyRgba !== 0) parts.push(rgba);
  if (anyOwner !== 0) parts.push(owner);
  const flags = (anyRgba !== 0 ? CHUNK_RGBA : 0) | (anyOwner !== 0 ? CHUNK_OWNER : 0);
  return { index, flags, parts };
}

function encode(
  kind: FrameKind,
  planes: Planes,
  base: Planes | undefined,
  chunks: Iterable<number>,
  tick: number,
  baseTick: number,
  deflate: Deflate,
): Uint8Array {
  const changed = [...chunks]
    .sort((a, b) => a - b)
    .map((index) => encodeChunk(planes, base, index))
    .filter(({ flags }) => flags !== 0);
  const dataBytes = changed.reduce(
    (sum, { parts }) => sum + parts.reduce((n, part) => n + part.length, 0),
    0,
  );
  const body = new Uint8Array(changed.length * 3 + dataBytes);
  let offset = changed.length * 3;
  changed.forEach(({ index, flags, parts }, i) => {
    body[2 * i] = index & 0xff;
    body[2 * i + 1] = index >>> 8;
    body[2 * changed.length + i] = flags;
    for (const part of parts) {
      body.set(part, offset);
      offset += part.length;
    }
  });
  const packed = changed.length > 0 ? deflate(body) : new Uint8Array(0);
  const frame = new Uint8Array(FRAME_HEADER_BYTES + packed.length);
  const header = new DataView(frame.buffer);
  header.setUint8(0, FRAME_MAGIC);
  header.setUint8(1, FRAME_VERSION);
  header.setUint8(2, kind === 'keyframe' ? 0 : 1);
  header.setUint32(4, tick, true);
  header.setUint32(8, baseTick, true);
  header.setUint16(12, planes.width, true);
  header.setUint16(14, planes.height, true);
  header.setUint16(16, changed.length, true);
  header.setUint32(20, body.length, true);
  frame.set(packed, FRAME_HEADER_BYTES);
  return frame;
}

/** All of the planes as they are at a tick. */
export function encodeKeyframe(planes: Planes, tick: number, deflate: Deflate): Uint8Array {
  const all = Array.from({ length: chunkCount(planes) }, (_, index) => index);
  return encode('keyframe', planes, undefined, all, tick, tick, deflate);
}

/**
 * What changed since a base.
 *
 * @param chunks indices of the chunks that may have changed; others are not looked at
 */
export function encodeDelta(
  planes: Planes,
  base: Planes,
  chunks: Iterable<number>,
  tick: number,
  baseTick: number,
  deflate: Deflate,
): Uint8Array {
  return encode('delta', planes, base, chunks, tick, baseTick, deflate);
}
