/**
 * A block tells one chunk: what it is, a check of what the chunk holds once it is read, and what the model says (`model.ts`).
 * Encoded once, for everybody. A delta on other cells than its own gives itself away by the check.
 *
 * | offset | type | |
 * |---|---|---|
 * | 0 | u8 | kind (two bits), then the shift of a coarse key or of a refinement, or log₂ of a delta's step |
 * | 1 | u16 | check of the cells (`checkOf`) |
 * | 3 | … | bits of the model, range-coded |
 */
import { type Cells, checkOf, copyCells, createCells } from './cells.ts';
import { freshContexts } from './contexts.ts';
import { FrameError } from './frame.ts';
import { coarsen, codeDelta, codeKey, codeRefinement } from './model.ts';
import { type BitCoder, RangeReader, RangeWriter } from './rangeCoder.ts';

export const BLOCK_HEADER_BYTES = 3;

/** delta: on what the chunk held. key: on nothing. refinement: makes the coarse key of the same cells exact. */
export const BLOCK_KINDS = ['delta', 'key', 'coarse', 'refinement'] as const;
export type BlockKind = (typeof BLOCK_KINDS)[number];

export interface BlockHeader {
  readonly kind: BlockKind;
  /** Of a coarse key or a refinement: low bits that the key leaves out. Of a delta: log₂ of its step. */
  readonly shift: number;
  readonly check: number;
}

function write(
  kind: BlockKind,
  shift: number,
  after: () => Cells,
  tell: (coder: BitCoder) => void,
): Uint8Array {
  const writer = new RangeWriter(freshContexts());
  tell(writer);
  const told = writer.finish();
  const block = new Uint8Array(BLOCK_HEADER_BYTES + told.length);
  const check = checkOf(after());
  block.set([BLOCK_KINDS.indexOf(kind) | (shift << 2), check & 0xff, check >>> 8]);
  block.set(told, BLOCK_HEADER_BYTES);
  return block;
}

/**
 * @param before what viewers hold
 * @param after what they shall hold; becomes what they will, which differs by the step where cells need not be exact
 * @param exact [cells] 1 where they must
 */
export function writeDelta(
  before: Cells,
  after: Cells,
  step: number,
  exact: Uint8Array,
): Uint8Array {
  const shift = Math.log2(step);
  return write(
    'delta',
    shift,
    () => after,
    (coder) => {
      codeDelta(coder, before, after, step, exact);
    },
  );
}

export function writeKey(cells: Cells): Uint8Array {
  return write(
    'key',
    0,
    () => cells,
    (coder) => codeKey(coder, copyCells(cells), 0),
  );
}

/** @param shift low bits that it leaves out, 1…7 */
export function writeCoarse(cells: Cells, shift: number): Uint8Array {
  const coarse = coarsen(cells, shift);
  return write(
    'coarse',
    shift,
    () => coarse,
    (coder) => {
      codeKey(coder, copyCells(coarse), shift);
    },
  );
}

export function writeRefinement(cells: Cells, shift: number): Uint8Array {
  return write(
    'refinement',
    shift,
    () => cells,
    (coder) => {
      codeRefinement(coder, copyCells(cells), shift);
    },
  );
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

/**
 * @param before what the chunk holds, which is used up; keys need only its size
 * @returns what it holds afterwards
 * @throws FrameError block, check: it cannot be read, or what comes of it is not what was told
 */
export function readBlock(block: Uint8Array, before: Cells): Cells {
  const { kind, shift, check } = readBlockHeader(block);
  const reader = new RangeReader(freshContexts(), block.subarray(BLOCK_HEADER_BYTES));
  const isKey = kind === 'key' || kind === 'coarse';
  const after = isKey ? createCells(before) : before;
  if (kind === 'delta') codeDelta(reader, before, after, 2 ** shift, new Uint8Array(0));
  else if (isKey) codeKey(reader, after, shift);
  else codeRefinement(reader, after, shift);
  if (checkOf(after) !== check) throw new FrameError('check');
  return after;
}
