/**
 * Writes and reads blocks. A block encodes one chunk, once for all viewers. The checksum shows
 * whether a block was applied to the wrong cells.
 *
 * | offset | type | |
 * |---|---|---|
 * | 0 | u8 | lowest two bits: kind; other bits: `shift` (see `readBlockHeader`) |
 * | 1 | u16 | checksum of the cells (`checkOf`) |
 * | 3 | … | range-coded bits |
 */
import type { Rect } from '../geometry.ts';
import { type Cells, checkOf, createPlanes, type Planes } from './chunks.ts';
import { createContexts, resetContexts } from './contexts.ts';
import { codeDelta, type Delta } from './delta-model.ts';
import { FrameError } from './frame.ts';
import { coarsen, codeKey, codeRefinement } from './key-model.ts';
import { Neighbourhood } from './neighbourhood.ts';
import { type BitCoder, RangeReader, RangeWriter } from './range-coder.ts';

/** Size of a block's header, in bytes. */
export const BLOCK_HEADER_BYTES = 3;

/**
 * Kinds of blocks. A delta changes the cells that a viewer already has. A key contains a whole
 * chunk. A coarse key omits the low bits of colours, and a refinement adds these bits.
 */
const BLOCK_KINDS = ['delta', 'key', 'coarse', 'refinement'] as const;
type BlockKind = (typeof BLOCK_KINDS)[number];

interface Change extends Omit<Delta, 'neighbourhood'> {
  readonly rect: Rect;
  /** [rows, columns] 1 for each group (see `GROUP`) that contains a changed cell, else 0. */
  readonly groups: Uint8Array;
}

/** Value of `marks` when decoding, because `codeDelta` then reads the marks from the block. */
const NO_MARKS = new Uint8Array(0);

/** Writes blocks one after another, with the same buffers. */
export class BlockWriter {
  private readonly contexts = createContexts();
  private readonly coder = new RangeWriter(this.contexts);
  private readonly neighbourhood = new Neighbourhood();

  /**
   * Encodes the changes of one chunk's cells.
   *
   * @param before the planes of the whole room, as viewers currently have them
   */
  delta(before: Planes, { rect, groups, after, step, marks }: Change): Uint8Array {
    const { neighbourhood } = this;
    neighbourhood.begin(before, rect);
    neighbourhood.groups.set(groups);
    return this.write('delta', Math.log2(step), after, (coder) => {
      codeDelta(coder, { after, step, marks, neighbourhood });
    });
  }

  key(cells: Cells): Uint8Array {
    return this.write('key', 0, cells, (coder) => codeKey(coder, cells, 0, this.neighbourhood));
  }

  /**
   * Encodes a chunk without the low bits of its colours. @param shift number of omitted bits, 1…7
   */
  coarse(cells: Cells, shift: number): Uint8Array {
    const coarse = coarsen(cells, shift);
    return this.write('coarse', shift, coarse, (coder) => {
      codeKey(coder, coarse, shift, this.neighbourhood);
    });
  }

  /**
   * Encodes the low bits of colours that `coarse` omits. @param shift number of these bits, 1…7
   */
  refinement(cells: Cells, shift: number): Uint8Array {
    return this.write('refinement', shift, cells, (coder) => codeRefinement(coder, cells, shift));
  }

  /**
   * Encodes a block and adds its header.
   *
   * @param after the cells to encode
   * @param encode encodes `after`. If colours are quantized, must also change `after` to the cells
   *   that a reader will decode, because the checksum is then computed from `after`
   */
  private write(
    kind: BlockKind,
    shift: number,
    after: Cells,
    encode: (coder: BitCoder) => void,
  ): Uint8Array {
    resetContexts(this.contexts);
    encode(this.coder);
    const bits = this.coder.finish();
    const block = new Uint8Array(BLOCK_HEADER_BYTES + bits.length);
    const check = checkOf(after);
    block.set([BLOCK_KINDS.indexOf(kind) | (shift << 2), check & 0xff, check >>> 8]);
    block.set(bits, BLOCK_HEADER_BYTES);
    return block;
  }
}

/**
 * Reads and checks a block's header.
 *
 * @returns `kind`: the block's kind; `check`: the 16-bit checksum of the decoded cells; `shift`,
 *   0…7: for a delta, log₂ of the quantization step; for all other kinds, the number of omitted low
 *   bits
 * @throws FrameError 'block' if the block is too short, or its first byte is invalid
 */
export function readBlockHeader(block: Uint8Array) {
  if (block.length < BLOCK_HEADER_BYTES) throw new FrameError('block');
  const kind = BLOCK_KINDS[block[0] & 3];
  const shift = block[0] >>> 2;
  const coarse = kind === 'coarse' || kind === 'refinement';
  if (shift > 7 || (coarse && shift === 0) || (kind === 'key' && shift !== 0)) {
    throw new FrameError('block');
  }
  return { kind, shift, check: block[1] | (block[2] << 8) };
}

/** Reads blocks one after another, with the same buffers. */
export class BlockReader {
  private readonly contexts = createContexts();
  private readonly coder = new RangeReader(this.contexts);
  private readonly neighbourhood = new Neighbourhood();

  /**
   * Decodes a block.
   *
   * @param before the chunk's current cells. A delta or refinement overwrites them; a key needs
   *   only their size
   * @returns the decoded cells
   * @throws FrameError 'block' if the header is malformed; 'check' if the decoded cells do not
   *   match the checksum
   */
  read(block: Uint8Array, before: Cells): Cells {
    const { kind, shift, check } = readBlockHeader(block);
    const { coder, neighbourhood } = this;
    resetContexts(this.contexts);
    coder.begin(block.subarray(BLOCK_HEADER_BYTES));
    const isKey = kind === 'key' || kind === 'coarse';
    const after = isKey ? createPlanes(before.width, before.height) : before;
    if (kind === 'delta') {
      const { width, height } = before;
      neighbourhood.begin(before, { x: 0, y: 0, width, height });
      codeDelta(coder, { after, step: 1 << shift, marks: NO_MARKS, neighbourhood });
    } else if (isKey) codeKey(coder, after, shift, neighbourhood);
    else codeRefinement(coder, after, shift);
    if (checkOf(after) !== check) throw new FrameError('check');
    return after;
  }
}
