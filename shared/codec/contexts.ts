/** The contexts of the models, and the log-odds that each starts a block with. */
import { EXPECTATIONS } from './expectations.ts';
import { type Contexts, UNIT } from './range-coder.ts';

/** Lengths of differences that contexts tell apart; longer ones share the last. */
export const LENGTHS = 6;

const SIZES = {
  /** Adds nothing (`NONE`). */
  none: 1,
  group: 3,
  changed: 2 * 16 * 3 * 2,
  changedPicture: 5 * 16,
  changedNear: 2 * 16 * 3,
  moved: 5 * 3,
  movedAmong: 16,
  bare: 3,
  heir: 2,
  fine: 16,
  fineShown: 5 * 3,
  length: 6 * 12 * LENGTHS,
  lengthAfter: 3 * 3 * 16 * LENGTHS,
  lengthWithin: 3 * 2 * 16 * LENGTHS,
  mantissa: 6 * 2 * 8,
  lowerBit: 8,
  sign: 3 * 2 * 9 * 3,
  signWithin: 3 * 2 * 16,
  signTowards: 3 * 2 * 2 * 12,
  key: 12 * LENGTHS,
  keyAfter: 3 * 16 * LENGTHS,
  keyWithin: 2 * 9 * LENGTHS,
  keyMantissa: 2 * 8,
  keySign: 2 * 9 * 3,
  keySignWithin: 2 * 9,
  sameOwner: 32,
  upperOwner: 2,
  noOwner: 1,
  low: 6 * 128,
  lowExpected: 2 * 16 * 16,
  lowWithin: 9 * 16,
} as const;

type Name = keyof typeof SIZES;

/** Index of the first context of each kind. */
export const CONTEXTS = {} as Record<Name, number>;
let count = 0;
for (const name of Object.keys(SIZES) as Name[]) {
  CONTEXTS[name] = count;
  count += SIZES[name];
}
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
