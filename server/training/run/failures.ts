/**
 * Handles failures during a run: repeats an update, and continues if a file cannot be written.
 */
import { isNativeError } from 'node:util/types';
import { type RetryOptions, systemClock } from '../../platform/clock.ts';
import { TrainingError } from '../errors.ts';

/**
 * Returns options for two more attempts after a lost thread: a lack of memory can pass, but an
 * error that kills a thread every time does not.
 *
 * @param remedy what happens after a thread is lost, for `say`
 */
export const afterLostThread = (remedy: string, say: (line: string) => void): RetryOptions => ({
  clock: systemClock,
  pauses: [0, 0],
  isTransient: (error) => error instanceof TrainingError && error.reason === 'lost-thread',
  onFailure: (error) => say(`${(error as TrainingError).message}; ${remedy}`),
});

/**
 * Creates a function that writes a file and tolerates failures, because a later write replaces the
 * file. Reports a failure only once, until writing works again. Throws errors that do not concern
 * files.
 */
export function createWriter(say: (line: string) => void) {
  const failing = new Set<string>();
  return async (what: string, write: () => Promise<void>): Promise<void> => {
    try {
      await write();
      failing.delete(what);
    } catch (error) {
      // Use `isNativeError`, because errors of files may come from another realm than the caller's,
      // and `instanceof` would not recognise them.
      if (!isNativeError(error) || !('syscall' in error)) throw error;
      if (!failing.has(what)) say(`${what} cannot be written: ${error.message}; the run continues`);
      failing.add(what);
    }
  };
}
