/**
 * A block tells one chunk: what it is, a check of what the chunk holds once it is read, and what the model says (`cell-model.ts`).
 * Encoded once, for everybody. A delta on other cells than its own gives itself away by the check.
 *
 * | offset | type | |
 * |---|---|---|
 * | 0 | u8 | kind (two bits), then the shift of a coarse key or of a refinement, or log₂ of a delta's step |
 * | 1 | u16 | check of the cells (`checkOf`) |
 * | 3 | … | bits of the model, range-coded |
 */

import { coarsen, codeDelta, codeKey, codeRefinement } from './cell-model.ts';
import { type Cells, checkOf, copyCells, createCells } from './cells.ts';
import { freshContexts, freshen } from './contexts.ts';
import { FrameError } from './frame.ts';
import { Neighbourhood } from './neighbourhood.ts';
import { type BitCoder, RangeReader, RangeWriter } from './range-coder.ts';

export const BLOCK_HEADER_BYTES = 3;

/** delta: on what the chunk held. key: on nothing. refinement: makes the coarse key of the same cells exact. */
export const BLOCK_KINDS = ['delta', 'key', 'coarse', 'refinement'] as const;
export type BlockKind = (typeof BLOCK_KINDS)[number];

/** Readers are told. */
const NO_MARKS = new Uint8Array(0);

export interface BlockHeader {
  readonly kind: BlockKind;
  /** Of a coarse key or a refinement: low bits that the key leaves out. Of a delta: log₂ of its step. */
  readonly shift: number;
  readonly check: number;
}

/** Writes blocks, one after the other, with what was made for the first. */
export class BlockWriter {
  private readonly contexts = freshContexts();
  private readonly coder = new RangeWriter(this.contexts);
  private readonly around = new Neighbourhood();

  /**
   * @param before what viewers hold
   * @param after what they shall hold; becomes what they will, which differs by the step where cells need not be exact
   * @param marks [cells] of `MARKS`: what is told, which is all that differs
   */
  delta(before: Cells, after: Cells, step: number, marks: Uint8Array): Uint8Array {
    return this.write('delta', Math.log2(step), after, (coder) => {
      codeDelta(coder, before, after, step, marks, this.around);
    });
  }

  key(cells: Cells): Uint8Array {
    return this.write('key', 0, cells, (coder) => codeKey(coder, copyCells(cells), 0));
  }

  /** @param shift low bits that it leaves out, 1…7 */
  coarse(cells: Cells, shift: number): Uint8Array {
    const coarse = coarsen(cells, shift);
    return this.write('coarse', shift, coarse, (coder) => {
      codeKey(coder, copyCells(coarse), shift);
    });
  }

  refinement(cells: Cells, shift: number): Uint8Array {
    return this.write('refinement', shift, cells, (coder) => {
      codeRefinement(coder, copyCells(cells), shift);
    });
  }

  /** @param after what a reader will hold, once it is told */
  private write(
    kind: BlockKind,
    shift: number,
    after: Cells,
    tell: (coder: BitCoder) => void,
  ): Uint8Array {
    freshen(this.contexts);
    tell(this.coder);
    const told = this.coder.finish();
    const block = new Uint8Array(BLOCK_HEADER_BYTES + told.length);
    const check = checkOf(after);
    block.set([BLOCK_KINDS.indexOf(kind) | (shift << 2), check & 0xff, check >>> 8]);
    block.set(told, BLOCK_HEADER_BYTES);
    return block;
  }
}

/** @throws FrameError block */
export function readBlockHeader(block: Uint8Array): BlockHeader {
  if (block.length < BLOCK_HEADER_BYTES) throw new FrameError('block');
  const kind = BLOCK_KINDS[block[0] & 3];
  const shift = block[0] >>> 2;
  const coarse = kind === 'coarse' || kind === 'refinement';
  if (shift > 7 || (coarse && shift === 0) || (kind === 'key' && shift !== 0)) {
    throw new FrameError('block');
  }
  return { kind, shift, check: block[1] | (block[2] << 8) };
}

/** Reads blocks, one after the other, with what was made for the first. */
export class BlockReader {
  private readonly contexts = freshContexts();
  private readonly coder = new RangeReader(this.contexts);
  private readonly around = new Neighbourhood();

  /**
   * @param before what the chunk holds, which is used up; keys need only its size
   * @returns what it holds afterwards
   * @throws FrameError block, check: it cannot be read, or what comes of it is not what was told
   */
  read(block: Uint8Array, before: Cells): Cells {
    const { kind, shift, check } = readBlockHeader(block);
    const { coder, around } = this;
    freshen(this.contexts);
    coder.begin(block.subarray(BLOCK_HEADER_BYTES));
    const isKey = kind === 'key' || kind === 'coarse';
    const after = isKey ? createCells(before) : before;
    if (kind === 'delta') codeDelta(coder, before, after, 2 ** shift, NO_MARKS, around);
    else if (isKey) codeKey(coder, after, shift);
    else codeRefinement(coder, after, shift);
    if (checkOf(after) !== check) throw new FrameError('check');
    return after;
  }
}
