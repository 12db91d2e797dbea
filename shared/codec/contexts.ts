/** The contexts of the cell model, and the probability that each starts a block with. */
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

/** Index of the first context of each kind. */
export const CONTEXTS = {} as Record<Name, number>;
let count = 0;
for (const name of Object.keys(SIZES) as Name[]) {
  CONTEXTS[name] = count;
  count += SIZES[name];
}
/** Number of contexts. */
export const CONTEXT_COUNT = count;

/** Steps per unit of log-odds: a logarithmic scale keeps near-certain probabilities distinct. */
const STEPS = 16;

/** Quantizes the probability of a 1 to a step, 0…255. */
export const stepOf = (probability: number): number =>
  Math.max(0, Math.min(255, 128 + Math.round(STEPS * Math.log(probability / (1 - probability)))));

const probabilityOf = (step: number): number => 1 / (1 + Math.exp(-(step - 128) / STEPS));

const EXPECTED = Uint16Array.from({ length: CONTEXT_COUNT }, (_, context) => {
  // Two hexadecimal digits each; a context without statistics starts at 1/2.
  const digits = EXPECTATIONS.slice(2 * context, 2 * context + 2);
  const step = digits === '' ? 128 : Number.parseInt(digits, 16);
  return Math.max(64, Math.min(65_472, Math.round(65_536 * probabilityOf(step))));
});

/**
 * Contexts with the statistics of the standard garden (`npm run fixtures -- codec-expectations`).
 */
export function createContexts(): Contexts {
  return EXPECTED.slice();
}

/** Resets contexts to the state in which `createContexts` returns them. */
export function resetContexts(contexts: Contexts): void {
  contexts.set(EXPECTED);
}
