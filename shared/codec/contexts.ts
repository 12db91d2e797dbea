/** Where the contexts of the model lie, and what is expected of each before a block has told anything. */
import { EXPECTATIONS } from './expectations.ts';
import type { Contexts } from './range-coder.ts';

const SIZES = {
  group: 3,
  changed: 10,
  moved: 3,
  bare: 3,
  heir: 2,
  fine: 3,
  mantissa: 8,
  delta: 3 * 3 * 6 * 4 * 8,
  deltaSign: 3 * 9,
  key: 2 * 3 * 6 * 4 * 8,
  keySign: 2 * 9,
  sameOwner: 32,
  upperOwner: 2,
  noOwner: 1,
  low: 6 * 256,
} as const;

type Name = keyof typeof SIZES;

/** First context of each kind. */
export const CONTEXTS = {} as Record<Name, number>;
let count = 0;
for (const name of Object.keys(SIZES) as Name[]) {
  CONTEXTS[name] = count;
  count += SIZES[name];
}
export const CONTEXT_COUNT = count;

/** Log-odds of a 1 in steps of 1/16, so that what is nearly certain is told apart as well. */
const STEPS = 16;

/** A probability of a 1 as one of 256 steps. */
export const stepOf = (probability: number): number =>
  Math.max(0, Math.min(255, 128 + Math.round(STEPS * Math.log(probability / (1 - probability)))));

const probabilityOf = (step: number): number => 1 / (1 + Math.exp(-(step - 128) / STEPS));

const EXPECTED = Uint16Array.from({ length: CONTEXT_COUNT }, (_, context) => {
  // Two hexadecimal digits each; what was never met is expected as much as not.
  const digits = EXPECTATIONS.slice(2 * context, 2 * context + 2);
  const step = digits === '' ? 128 : Number.parseInt(digits, 16);
  return Math.max(64, Math.min(65_472, Math.round(65_536 * probabilityOf(step))));
});

/** Contexts that expect what was found in a garden (`npm run fixtures -- codec-expectations`). */
export function freshContexts(): Contexts {
  return EXPECTED.slice();
}

/** Makes them expect that again. */
export function freshen(contexts: Contexts): void {
  contexts.set(EXPECTED);
}
