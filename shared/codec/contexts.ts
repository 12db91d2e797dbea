/** The log-odds that each context of the models starts a block with. */
import { CONTEXT_COUNT } from './context-starts.ts';
import { EXPECTATIONS } from './expectations.ts';
import { type Contexts, UNIT } from './range-coder.ts';

/** Steps per natural unit of log-odds in which expectations are written. */
export const STEPS = 4;
/** The character that stands for 0; those within 25 steps need no escape. */
export const ZERO = 66;

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
