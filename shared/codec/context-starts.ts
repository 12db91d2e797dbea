/**
 * The index of the first context of each kind. Constants, as engines read the fields of an object that
 * has so many by looking up their names.
 */

/** Lengths of differences that contexts tell apart; longer ones share the last. */
export const LENGTHS = 6;

/** The first context adds nothing (`NONE`). */
let count = 1;
/** @returns the first of the next `size` contexts */
function next(size: number): number {
  count += size;
  return count - size;
}

export const group = next(3);
export const changed = next(2 * 16 * 3 * 2);
export const changedPicture = next(5 * 16);
export const changedNear = next(2 * 16 * 3);
export const moved = next(5 * 3);
export const movedAmong = next(16);
export const bare = next(3);
export const heir = next(2);
export const fine = next(16);
export const fineShown = next(5 * 3);
export const length = next(6 * 12 * LENGTHS);
export const lengthAfter = next(3 * 3 * 16 * LENGTHS);
export const lengthWithin = next(3 * 2 * 16 * LENGTHS);
export const mantissa = next(6 * 2 * 8);
export const lowerBit = next(8);
export const sign = next(3 * 2 * 9 * 3);
export const signWithin = next(3 * 2 * 16);
export const signTowards = next(3 * 2 * 2 * 12);
export const key = next(3 * 12 * LENGTHS);
export const keyAfter = next(3 * 16 * LENGTHS);
export const keyWithin = next(3 * 9 * LENGTHS);
export const keyTowards = next(3 * 16 * LENGTHS);
export const keyMantissa = next(2 * 8);
export const keySign = next(2 * 9 * 3);
export const keySignWithin = next(2 * 9);
export const keySignTowards = next(3 * 2 * 16);
export const keySignFurther = next(3 * 2 * 16);
export const sameOwner = next(32);
export const sameOwnerFurther = next(32);
export const upperOwner = next(2);
export const noOwner = next(1);
export const low = next(6 * 128);
export const lowExpected = next(2 * 16 * 16);
export const lowWithin = next(9 * 16);
export const lengthPlace = next(LENGTHS);
/** Number of contexts. */
export const CONTEXT_COUNT = count;
