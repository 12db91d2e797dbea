/** Decodes frames into planes. Pure, but for the inflater passed in; never trusts a length it has not checked. */
import { DEFAULTS } from '../defaults.ts';
import type { Rect } from '../geometry.ts';
import { chunkCount, chunkRect } from './chunks.ts';
import {
  CHUNK_OWNER,
  CHUNK_RGBA,
  FRAME_HEADER_BYTES,
  FRAME_MAGIC,
  FRAME_VERSION,
  FrameError,
  type FrameHeader,
} from './frame.ts';
import type { Planes } from './planes.ts';

/** Raw inflate (RFC 1951) into a buffer of the given size; may return fewer bytes, or throw. */
export type Inflate = (bytes: Uint8Array, size: number) => Uint8Array;

/** @throws FrameError */
export function readHeader(frame: Uint8Array): FrameHeader {
  if (frame.length < FRAME_HEADER_BYTES) throw new FrameError('truncated');
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint8(0) !== FRAME_MAGIC) throw new FrameError('magic');
  if (view.getUint8(1) !== FRAME_VERSION) throw new FrameError('version');
  if (view.getUint8(2) > 1) throw new FrameError('kind');
  const header: FrameHeader = {
    kind: view.getUint8(2) === 0 ? 'keyframe' : 'delta',
    tick: view.getUint32(4, true),
    base: view.getUint32(8, true),
    width: view.getUint16(12, true),
    height: view.getUint16(14, true),
    chunks: view.getUint16(16, true),
    bodyBytes: view.getUint32(20, true),
  };
  const { width, height, chunks, bodyBytes } = header;
  const max = DEFAULTS.codec.maxSide;
  if (width < 1 || height < 1 || width > max || height > max) throw new FrameError('size');
  if (chunks > chunkCount(header)) throw new FrameError('chunks');
  if (bodyBytes > chunks * (3 + 8 * DEFAULTS.codec.chunk ** 2)) throw new FrameError('body');
  return header;
}

interface Chunk {
  readonly rect: Rect;
  readonly flags: number;
}

/** Reads and checks the table of chunks, so that applying them cannot fail half-way. */
function readChunks(body: Uint8Array, header: FrameHeader): Chunk[] {
  const chunks: Chunk[] = [];
  let expected = header.chunks * 3;
  let previous = -1;
  for (let i = 0; i < header.chunks; i++) {
    const index = body[2 * i] | (body[2 * i + 1] << 8);
    const flags = body[2 * header.chunks + i];
    if (index <= previous || index >= chunkCount(header)) throw new FrameError('chunks');
    if (flags === 0 || flags > (CHUNK_RGBA | CHUNK_OWNER)) throw new FrameError('chunks');
    previous = index;
    const rect = chunkRect(header, index);
    const planes = (flags & CHUNK_RGBA ? 4 : 0) + (flags & CHUNK_OWNER ? 4 : 0);
    expected += rect.width * rect.height * planes;
    chunks.push({ rect, flags });
  }
  if (expected !== body.length) throw new FrameError('body');
  return chunks;
}

function applyChunk(planes: Planes, { rect, flags }: Chunk, body: Uint8Array, start: number) {
  const cells = rect.width * rect.height;
  const owner = start + (flags & CHUNK_RGBA ? 4 * cells : 0);
  let cell = 0;
  for (let y = rect.y; y < rect.y + rect.height; y++) {
    for (let x = rect.x; x < rect.x + rect.width; x++, cell++) {
      const place = y * planes.width + x;
      if (flags & CHUNK_RGBA) {
        for (let c = 0; c < 4; c++) planes.rgba[place * 4 + c] ^= body[start + c * cells + cell];
      }
      if (flags & CHUNK_OWNER) {
        planes.owner[place] ^=
          body[owner + cell] |
          (body[owner + cells + cell] << 8) |
          (body[owner + 2 * cells + cell] << 16) |
          (body[owner + 3 * cells + cell] << 24);
      }
    }
  }
  return owner + (flags & CHUNK_OWNER ? 4 * cells : 0);
}

/**
 * Brings planes to the tick of a frame.
 *
 * @param planes changed in place; must be of the frame's size
 * @param tick the tick that the planes show, or undefined when nothing has been decoded yet
 * @returns the new tick and the rectangles that changed (a keyframe: all of the grid)
 * @throws FrameError; the planes are then as they were. Reason `base`: the delta does not build on this tick
 */
export function decodeFrame(
  planes: Planes,
  tick: number | undefined,
  frame: Uint8Array,
  inflate: Inflate,
): { header: FrameHeader; changed: Rect[] } {
  const header = readHeader(frame);
  if (header.width !== planes.width || header.height !== planes.height) {
    throw new FrameError('size');
  }
  if (header.kind === 'delta' && header.base !== tick) throw new FrameError('base');
  let body = new Uint8Array(0);
  if (header.chunks > 0) {
    try {
      body = new Uint8Array(inflate(frame.subarray(FRAME_HEADER_BYTES), header.bodyBytes));
    } catch {
      throw new FrameError('body');
    }
  }
  if (body.length !== header.bodyBytes) throw new FrameError('body');
  const chunks = readChunks(body, header);

  if (header.kind === 'keyframe') {
    planes.rgba.fill(0);
    planes.owner.fill(0);
  }
  let offset = header.chunks * 3;
  for (const chunk of chunks) offset = applyChunk(planes, chunk, body, offset);
  const whole = { x: 0, y: 0, width: planes.width, height: planes.height };
  return {
    header,
    changed: header.kind === 'keyframe' ? [whole] : chunks.map(({ rect }) => rect),
  };
}
