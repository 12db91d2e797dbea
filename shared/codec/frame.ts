/**
 * The form of a frame, version 4: blocks of the chunks that have changed. All numbers little-endian.
 *
 * | offset | type | |
 * |---|---|---|
 * | 0 | u8 | 0x56 'V' |
 * | 1 | u8 | version |
 * | 2 | u8 | log₂ of the scale: places a side that a cell stands for |
 * | 3 | u8 | index of the tier (`TIER_NAMES`) |
 * | 4 | u32 | tick |
 * | 8 | … | blocks, by chunk: how far its chunk is from that of the block before, and the block's length (both as numbers of seven bits a byte, lowest first), the block. One chunk may have several, each on top of the one before |
 */
import { DEFAULTS } from '../defaults.ts';
import { TIER_NAMES, type TierName } from './tiers.ts';

export const FRAME_MAGIC = 0x56;
export const FRAME_VERSION = 4;
export const FRAME_HEADER_BYTES = 8;

export interface FrameHeader {
  readonly tick: number;
  readonly tier: TierName;
  /** Places a side that a cell stands for. */
  readonly scale: number;
}

export interface FrameBlock {
  readonly chunk: number;
  readonly block: Uint8Array;
}

export const FRAME_ERRORS = [
  'truncated',
  'magic',
  'version',
  'header',
  'chunks',
  'block',
  'check',
] as const;

/** A frame that cannot be read. */
export class FrameError extends Error {
  override readonly name = 'FrameError';

  constructor(readonly reason: (typeof FRAME_ERRORS)[number]) {
    super(`bad frame: ${reason}`);
  }
}

const bytesOf = (value: number): number => (value < 2 ** 7 ? 1 : value < 2 ** 14 ? 2 : 3);

/** @param blocks by chunk */
export function writeFrame(
  { tick, tier, scale }: FrameHeader,
  blocks: readonly FrameBlock[],
): Uint8Array {
  let length = FRAME_HEADER_BYTES;
  let last = 0;
  for (const { chunk, block } of blocks) {
    length += bytesOf(chunk - last) + bytesOf(block.length) + block.length;
    last = chunk;
  }
  const frame = new Uint8Array(length);
  frame.set([FRAME_MAGIC, FRAME_VERSION, Math.log2(scale), TIER_NAMES.indexOf(tier)]);
  new DataView(frame.buffer).setUint32(4, tick, true);
  let at = FRAME_HEADER_BYTES;
  const number = (value: number): void => {
    let rest = value;
    while (rest >= 128) {
      frame[at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    frame[at++] = rest;
  };
  last = 0;
  for (const { chunk, block } of blocks) {
    number(chunk - last);
    number(block.length);
    frame.set(block, at);
    at += block.length;
    last = chunk;
  }
  return frame;
}

/** @throws FrameError truncated, magic, version, header */
export function readHeader(frame: Uint8Array): FrameHeader {
  if (frame.length < FRAME_HEADER_BYTES) throw new FrameError('truncated');
  if (frame[0] !== FRAME_MAGIC) throw new FrameError('magic');
  if (frame[1] !== FRAME_VERSION) throw new FrameError('version');
  const tier = TIER_NAMES[frame[3]];
  if (!tier || 2 ** frame[2] > DEFAULTS.codec.maxScale) throw new FrameError('header');
  const tick = new DataView(frame.buffer, frame.byteOffset).getUint32(4, true);
  return { tick, tier, scale: 2 ** frame[2] };
}

/**
 * @param chunks how many there are at the frame's scale
 * @throws FrameError truncated, chunks
 */
export function readBlocks(frame: Uint8Array, chunks: number): FrameBlock[] {
  const blocks: FrameBlock[] = [];
  let at = FRAME_HEADER_BYTES;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; shift < 21; shift += 7) {
      if (at >= frame.length) throw new FrameError('truncated');
      const byte = frame[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw new FrameError('chunks');
  };
  let last = 0;
  while (at < frame.length) {
    const chunk = last + number();
    const length = number();
    if (chunk >= chunks) throw new FrameError('chunks');
    if (at + length > frame.length) throw new FrameError('truncated');
    blocks.push({ chunk, block: frame.subarray(at, at + length) });
    at += length;
    last = chunk;
  }
  return blocks;
}
