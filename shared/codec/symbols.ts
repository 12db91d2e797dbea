/**
 * Codes the values that both deltas (changes of cells) and keys (whole chunks) contain: signed
 * differences of colours, and owners.
 */
import type { Cells } from './chunks.ts';
import * as CONTEXTS from './contexts.ts';
import { LENGTHS } from './contexts.ts';
import { lengthOf } from './neighbourhood.ts';
import { type BitCoder, NONE } from './range-coder.ts';

const { abs, max, min } = Math;

/**
 * Creates an object with the indices of the contexts under which one difference is coded. Callers
 * set the indices before each difference. One bit is coded under several contexts at the same time:
 * `lengthA` to `lengthD`, or `signA` to `signC`.
 */
export const createDifferenceContexts = () => ({
  /**
   * Index of the first of `LENGTHS` contexts that predict the number of bits of the difference's
   * magnitude: whether this number exceeds 0, whether it exceeds 1, and so on.
   */
  lengthA: NONE,
  lengthB: NONE,
  lengthC: NONE,
  lengthD: NONE,
  signA: NONE,
  signB: NONE,
  signC: NONE,
  /**
   * Index of the first of 8 contexts that predict the second-highest bit of the difference's
   * magnitude. There is one context for each bit length of 2 or more.
   */
  mantissa: NONE,
});

type DifferenceContexts = ReturnType<typeof createDifferenceContexts>;

/**
 * Writes or reads one difference.
 *
 * @param difference the difference to write, −255…255; ignored when decoding
 * @returns the difference that was written or read
 */
export function codeDifference(
  coder: BitCoder,
  { lengthA, lengthB, lengthC, lengthD, signA, signB, signC, mantissa }: DifferenceContexts,
  difference: number,
): number {
  const source = abs(difference);
  const wanted = lengthOf(source);
  let length = 0;
  for (let at = 0; length < 8; length++) {
    at = min(LENGTHS - 1, length);
    const fourth = lengthD === NONE ? NONE : lengthD + at;
    if (!coder.bit(wanted > length ? 1 : 0, lengthA + at, lengthB + at, lengthC + at, fourth))
      break;
  }
  if (length === 0) return 0;
  let magnitude = 1;
  if (length > 1) {
    const second = length - 2;
    magnitude = 2 | coder.bit((source >>> second) & 1, mantissa + second);
    if (second > 0) {
      const third = second - 1;
      magnitude = (magnitude << 1) | coder.bit((source >>> third) & 1, CONTEXTS.lowerBit + second);
      if (third > 0) {
        magnitude = (magnitude << third) | coder.plain(third, source & ((1 << third) - 1));
      }
    }
  }
  return coder.bit(difference < 0 ? 1 : 0, signA, signB, signC) ? -magnitude : magnitude;
}

/**
 * Writes or reads owners of cells. An owner that was coded earlier is coded as its index in a list;
 * any other owner, as its full id.
 */
export class OwnerCoder {
  private readonly known: number[] = [];
  private previous = 0;

  /**
   * @param owners ids of owners that are known from the start; zeros are ignored. Callers must not
   *   modify this array
   */
  constructor(
    private readonly coder: BitCoder,
    private owners: ArrayLike<number> = [],
  ) {}

  /** Writes or reads a cell's new owner, which is not 0, in a delta (a block with changes). */
  codeNew({ owner, width }: Cells, x: number, y: number): number {
    const cell = y * width + x;
    const { coder } = this;
    const left = x > 0 ? owner[cell - 1] : 0;
    const up = y > 0 ? owner[cell - width] : 0;
    const wanted = owner[cell];
    if (left !== 0 && coder.bit(wanted === left ? 1 : 0, CONTEXTS.heir)) return left;
    if (up !== 0 && up !== left && coder.bit(wanted === up ? 1 : 0, CONTEXTS.heir + 1)) return up;
    return this.code(wanted);
  }

  /** Writes or reads a cell's owner, 0 for none, in a key (a block with a whole chunk). */
  codeKey({ owner, width }: Cells, x: number, y: number): void {
    const cell = y * width + x;
    const { coder } = this;
    const left = x > 0 ? owner[cell - 1] : 0;
    const up = y > 0 ? owner[cell - width] : 0;
    const upLeft = x > 0 && y > 0 ? owner[cell - width - 1] : 0;
    const upRight = y > 0 && x + 1 < width ? owner[cell - width + 1] : 0;
    const context =
      (left === up ? 1 : 0) +
      (left === upLeft ? 2 : 0) +
      (up === upRight ? 4 : 0) +
      (left === 0 ? 8 : 0) +
      (up === 0 ? 16 : 0);
    const wanted = owner[cell];
    if (coder.bit(wanted === left ? 1 : 0, CONTEXTS.sameOwner + context)) owner[cell] = left;
    else if (
      up !== left &&
      coder.bit(wanted === up ? 1 : 0, CONTEXTS.upperOwner + (up === 0 ? 1 : 0))
    ) {
      owner[cell] = up;
    } else if (left !== 0 && up !== 0 && coder.bit(wanted === 0 ? 1 : 0, CONTEXTS.noOwner)) {
      owner[cell] = 0;
    } else owner[cell] = this.code(wanted);
    this.meet(owner[cell]);
  }

  private meet(owner: number): void {
    // Skip the search in `known` if the previous cell had the same owner, as is usual.
    if (owner === this.previous) return;
    this.previous = owner;
    if (owner !== 0 && !this.known.includes(owner)) this.known.push(owner);
  }

  /**
   * Writes or reads an owner: as its index if it is in `known`, otherwise as its full id.
   *
   * @param owner the owner to write, not 0; ignored when decoding
   */
  private code(owner: number): number {
    const { coder, known } = this;
    // Add the initial owners to `known` only now, because most chunks never use this list.
    for (let at = 0; at < this.owners.length; at++) this.meet(this.owners[at]);
    this.owners = [];
    const bits = lengthOf(known.length);
    const index = coder.plain(max(1, bits), known.indexOf(owner) + 1);
    let result = known[index - 1] ?? 0;
    if (result === 0) {
      // Code the id's bit length, and then its bits without the highest, which is always 1. Most
      // ids are small, so a fixed length would take more bits.
      const length = coder.plain(5, lengthOf(owner) - 1);
      const low = min(16, length);
      const rest =
        coder.plain(low, owner & 0xffff) | (coder.plain(length - low, owner >>> 16) << 16);
      result = (rest | (1 << length)) >>> 0;
    }
    this.meet(result);
    return result;
  }
}
