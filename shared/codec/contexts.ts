/** The contexts of the models, and the log-odds that each starts a block with. */
import { EXPECTATIONS } from './expectations.ts';
import { type Contexts, UNIT } from './range-coder.ts';

/** Lengths of differences that contexts tell apart; longer ones share the last. */
export const LENGTHS = 6;

let count = 0;
/** @returns the first of the next `size` contexts */
function next(size: number): number {
  count += size;
  return count - size;
}

/**
 * Index of the first context of each kind. A literal, as engines read objects that are filled in one by
 * one by looking up each name.
 */
export const CONTEXTS = {
  /** Adds nothing (`NONE`). */
  none: next(1),
  group: next(3),
  changed: next(2 * 16 * 3 * 2),
  changedPicture: next(5 * 16),
  changedNear: next(2 * 16 * 3),
  moved: next(5 * 3),
  movedAmong: next(16),
  bare: next(3),
  heir: next(2),
  fine: next(16),
  fineShown: next(5 * 3),
  length: next(6 * 12 * LENGTHS),
  lengthAfter: next(3 * 3 * 16 * LENGTHS),
  lengthWithin: next(3 * 2 * 16 * LENGTHS),
  mantissa: next(6 * 2 * 8),
  lowerBit: next(8),
  sign: next(3 * 2 * 9 * 3),
  signWithin: next(3 * 2 * 16),
  signTowards: next(3 * 2 * 2 * 12),
  key: next(12 * LENGTHS),
  keyAfter: next(3 * 16 * LENGTHS),
  keyWithin: next(2 * 9 * LENGTHS),
  keyMantissa: next(2 * 8),
  keySign: next(2 * 9 * 3),
  keySignWithin: next(2 * 9),
  sameOwner: next(32),
  upperOwner: next(2),
  noOwner: next(1),
  low: next(6 * 128),
  lowExpected: next(2 * 16 * 16),
  lowWithin: next(9 * 16),
};
/** Number of contexts. */
export const CONTEXT_COUNT = count;

/** Steps per natural unit of log-odds in which expectations are written. */
const STEPS = 2;
/** The character that stands for 0; those within 15 steps need no escape. */
const ZERO = 58;

/** @param odds log-odds, natural units */
export const characterOf = (odds: number): string =>
  String.fromCharCode(ZERO + Math.max(-15, Math.min(15, Math.round(odds * STEPS))));

const EXPECTED = Int16Array.from({ length: CONTEXT_COUNT }, (_, context) =>
  // Contexts without statistics add nothing.
  context < EXPECTATIONS.length ? ((EXPECTATIONS.charCodeAt(context) - ZERO) * UNIT) / STEPS : 0,
);

/**
 * Contexts with the statistics of gardens made from seeds (`npm run fixtures -- codec-expectations`).
 */
export function createContexts(): Contexts {
  return EXPECTED.slice();
}

/** Resets contexts to the state in which `createContexts` returns them. */
export function resetContexts(contexts: Contexts): void {
  contexts.set(EXPECTED);
}
