/** Retries work after the death of a thread. */
import { systemClock } from '../platform/clock.ts';
import type { RetryOptions } from '../platform/retry.ts';
import { TrainingError } from './errors.ts';

/**
 * Options for two more attempts: a lack of memory can pass; what kills a thread every time does
 * not.
 *
 * @param remedy what happens after a death, for `say`
 */
export const afterLostThread = (remedy: string, say: (line: string) => void): RetryOptions => ({
  clock: systemClock,
  pauses: [0, 0],
  isTransient: (error) => error instanceof TrainingError && error.reason === 'lost-thread',
  onFailure: (error) => say(`${(error as TrainingError).message}; ${remedy}`),
});
