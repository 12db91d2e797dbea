/** Work that is tried again when a thread has died in it. */
import { systemClock } from '../platform/clock.ts';
import type { RetryOptions } from '../platform/retry.ts';
import { TrainingError } from './errors.ts';

/**
 * Want of memory passes, so there are two further tries; what kills a thread each time does not.
 *
 * @param remedy what is done about a death, for `say`
 */
export const afterLostThread = (remedy: string, say: (line: string) => void): RetryOptions => ({
  clock: systemClock,
  pauses: [0, 0],
  isTransient: (error) => error instanceof TrainingError && error.reason === 'lost-thread',
  onFailure: (error) => say(`${(error as TrainingError).message}; ${remedy}`),
});
