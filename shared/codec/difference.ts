/** Codes the difference of a channel from its prediction: its length in bits, its lower bits, its sign. */
import * as CONTEXTS from './context-starts.ts';
import { LENGTHS } from './context-starts.ts';
import { lengthOf } from './neighbourhood.ts';
import { type BitCoder, NONE } from './range-coder.ts';

/** Looked up once: in a sandbox, access to a global costs more than the arithmetic. */
const { abs, min } = Math;

/** The contexts of one difference: a bit's log-odds are the sum of four. */
export interface DifferenceContexts {
  /** First of `LENGTHS` contexts each, for whether the length is more than 0, 1, … */
  lengthA: number;
  lengthB: number;
  lengthC: number;
  lengthD: number;
  signA: number;
  signB: number;
  signC: number;
  signD: number;
  /** First of 8 contexts, for the bit below the highest, by length. */
  mantissa: number;
}

/** An object to fill in, which is reused. */
export const createDifferenceContexts = (): DifferenceContexts => ({
  lengthA: NONE,
  lengthB: NONE,
  lengthC: NONE,
  lengthD: NONE,
  signA: NONE,
  signB: NONE,
  signC: NONE,
  signD: NONE,
  mantissa: NONE,
});

/**
 * @param difference −255…255
 * @returns it
 */
export function codeDifference(
  coder: BitCoder,
  { lengthA, lengthB, lengthC, lengthD, signA, signB, signC, signD, mantissa }: DifferenceContexts,
  difference: number,
): number {
  const source = abs(difference);
  const wanted = lengthOf(source);
  // Deltas have no fourth context of what is around: theirs is the place.
  const further = lengthD === NONE ? CONTEXTS.lengthPlace : lengthD;
  let length = 0;
  for (let at = 0; length < 8; length++) {
    at = min(LENGTHS - 1, length);
    if (!coder.bit(wanted > length ? 1 : 0, lengthA + at, lengthB + at, lengthC + at, further + at))
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
  return coder.bit(difference < 0 ? 1 : 0, signA, signB, signC, signD) ? -magnitude : magnitude;
}
