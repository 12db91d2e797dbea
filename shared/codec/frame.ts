/**
 * The format of a frame: a header, followed by the blocks of the chunks that have changed. All
 * numbers are little-endian.
 *
 * | offset | type | |
 * |---|---|---|
 * | 0 | u8 | 0x56 'V' |
 * | 1 | u8 | version |
 * | 2 | u8 | log₂ of the scale; each streamed cell covers scale×scale cells of the room |
 * | 3 | u8 | index of the tier (`TIER_NAMES`) |
 * | 4 | u32 | tick |
 * | 8 | … | blocks in ascending order of chunk |
 *
 * One or two varints (base 128) precede each block. The first varint is 4 × L + 2 × N + O:
 * - L: length of the block in the frame, in bytes, without an omitted byte;
 * - N: 1 if the chunk's index is the previous block's chunk index plus 1, else 0;
 * - O: 1 if the block's first byte is omitted, else 0. The omitted byte equals the first byte of
 *   the previous block.
 *
 * If N is 0, a second varint contains the chunk's index minus the previous block's chunk index. For
 * the first block, the previous index is −1. If a chunk has several blocks, they are applied in
 * order.
 */
import { TIER_NAMES, type TierName } from './tiers.ts';

/** Maximum scale. At scale s, each streamed cell covers s×s cells of the room. */
export const MAX_SCALE = 8;

const FRAME_MAGIC = 0x56;
export const FRAME_VERSION = 1;
const FRAME_HEADER_BYTES = 8;

export interface FrameHeader {
  readonly tick: number;
  readonly tier: TierName;
  /** A power of two. Each streamed cell covers `scale`×`scale` cells of the room. */
  readonly scale: number;
}

/** A block of a frame. `chunk` is the index of the block's chunk at the frame's scale. */
export interface FrameBlock {
  readonly chunk: number;
  readonly block: Uint8Array;
}

type FrameErrorReason = 'truncated' | 'magic' | 'version' | 'header' | 'chunks' | 'block' | 'check';

export class FrameError extends Error {
  override readonly name = 'FrameError';

  constructor(readonly reason: FrameErrorReason) {
    super(`bad frame: ${reason}`);
  }
}

/** Maximum total size of the varints before a block, in bytes. */
const MOST_VARINT_BYTES = 6;

/** Joins blocks into a frame. @param blocks in ascending order of `chunk` */
export function writeFrame(
  { tick, tier, scale }: FrameHeader,
  blocks: readonly FrameBlock[],
): Uint8Array {
  const most = blocks.reduce(
    (sum, { block }) => sum + MOST_VARINT_BYTES + block.length,
    FRAME_HEADER_BYTES,
  );
  const frame = new Uint8Array(most);
  frame.set([FRAME_MAGIC, FRAME_VERSION, Math.log2(scale), TIER_NAMES.indexOf(tier)]);
  new DataView(frame.buffer).setUint32(4, tick, true);
  let at = FRAME_HEADER_BYTES;
  const writeVarint = (value: number): void => {
    let rest = value;
    while (rest >= 128) {
      frame[at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    frame[at++] = rest;
  };
  let previous = -1;
  let first = -1;
  for (const { chunk, block } of blocks) {
    const omits = block[0] === first;
    const bytes = omits ? block.subarray(1) : block;
    const distance = chunk - previous;
    writeVarint(4 * bytes.length + (distance === 1 ? 2 : 0) + (omits ? 1 : 0));
    if (distance !== 1) writeVarint(distance);
    frame.set(bytes, at);
    at += bytes.length;
    previous = chunk;
    first = block[0];
  }
  return frame.subarray(0, at);
}

/**
 * Reads and checks a frame's header.
 *
 * @throws FrameError 'truncated', 'magic', 'version' or 'header'
 */
export function readHeader(frame: Uint8Array): FrameHeader {
  if (frame.length < FRAME_HEADER_BYTES) throw new FrameError('truncated');
  if (frame[0] !== FRAME_MAGIC) throw new FrameError('magic');
  if (frame[1] !== FRAME_VERSION) throw new FrameError('version');
  const tier = TIER_NAMES[frame[3]];
  if (!tier || 2 ** frame[2] > MAX_SCALE) throw new FrameError('header');
  const tick = new DataView(frame.buffer, frame.byteOffset).getUint32(4, true);
  return { tick, tier, scale: 2 ** frame[2] };
}

/**
 * Splits a frame into its blocks. A block is a view of the frame's bytes, or a copy if the frame
 * omits the block's first byte.
 *
 * @param chunks number of chunks of the room at the frame's scale
 * @throws FrameError 'truncated' or 'chunks'
 */
export function readBlocks(frame: Uint8Array, chunks: number): FrameBlock[] {
  const blocks: FrameBlock[] = [];
  let at = FRAME_HEADER_BYTES;
  const readVarint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 21; shift += 7) {
      if (at >= frame.length) throw new FrameError('truncated');
      const byte = frame[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw new FrameError('chunks');
  };
  let previous = -1;
  while (at < frame.length) {
    const head = readVarint();
    const chunk = previous + (head & 2 ? 1 : readVarint());
    const length = head >> 2;
    if (chunk < 0 || chunk >= chunks) throw new FrameError('chunks');
    if (at + length > frame.length) throw new FrameError('truncated');
    let block = frame.subarray(at, at + length);
    if (head & 1) {
      const whole = new Uint8Array(length + 1);
      // The omitted byte equals the first byte of the previous block. Without a previous block, the
      // frame is malformed, and any value will do.
      whole[0] = blocks.at(-1)?.block[0] ?? 0;
      whole.set(block, 1);
      block = whole;
    }
    blocks.push({ chunk, block });
    at += length;
    previous = chunk;
  }
  return blocks;
}
