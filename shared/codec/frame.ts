/**
 * The form of a frame, version 1. All numbers little-endian.
 *
 * | offset | type | |
 * |---|---|---|
 * | 0 | u8 | 0x56 'V' |
 * | 1 | u8 | version |
 * | 2 | u8 | 0 keyframe, 1 delta |
 * | 3 | u8 | 0 |
 * | 4 | u32 | tick |
 * | 8 | u32 | base: the tick that a delta builds on; in a keyframe the same as tick |
 * | 12 | u16 | grid width |
 * | 14 | u16 | grid height |
 * | 16 | u16 | number of chunks that follow |
 * | 18 | u16 | 0 |
 * | 20 | u32 | length of the body before deflation |
 * | 24 | … | body, raw deflate; absent when there are no chunks |
 *
 * Body: chunk indices (u16 each, ascending), then one byte of flags a chunk (1 RGBA, 2 owner), then the data of each
 * chunk plane by plane: R, G, B, A (a byte a place), and the owner's four bytes, lowest plane first. Each byte is the
 * XOR with what the chunk held at the base tick (a keyframe's base is all zero), so what did not change is zero
 * and costs almost nothing.
 */
export const FRAME_MAGIC = 0x56;
export const FRAME_VERSION = 1;
export const FRAME_HEADER_BYTES = 24;
export const CHUNK_RGBA = 1;
export const CHUNK_OWNER = 2;

export type FrameKind = 'keyframe' | 'delta';

export interface FrameHeader {
  readonly kind: FrameKind;
  readonly tick: number;
  readonly base: number;
  readonly width: number;
  readonly height: number;
  readonly chunks: number;
  readonly bodyBytes: number;
}

export const FRAME_ERRORS = [
  'truncated',
  'magic',
  'version',
  'kind',
  'size',
  'chunks',
  'body',
  'base',
] as const;

/** A frame that cannot be read; nothing was changed. */
export class FrameError extends Error {
  override readonly name = 'FrameError';

  constructor(readonly reason: (typeof FRAME_ERRORS)[number]) {
    super(`bad frame: ${reason}`);
  }
}
