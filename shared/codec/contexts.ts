/** Where the contexts of the model lie, and what is expected of each before anything is known. */
import type { Contexts } from './rangeCoder.ts';

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

export function freshContexts(): Contexts {
  return new Uint16Array(CONTEXT_COUNT).fill(32_768);
}
