/**
 * Handles failures during a run: repeats an update, saves the updates before it, and continues if a
 * file cannot be written.
 */
import { isNativeError } from 'node:util/types';
import { type RetryOptions, systemClock } from '../../platform/clock.ts';
import { TrainingError } from '../errors.ts';
import type { RunState } from './run-state.ts';

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

/**
 * Saves the state before a failed update. Does not throw, so that the error of the update is
 * reported.
 *
 * @param error error of the update
 * @param read reads the state of the run
 * @param say prints what happened
 */
export async function saveAfterFailure(
  error: unknown,
  read: () => Promise<RunState>,
  save: (state: RunState) => Promise<void>,
  say: (line: string) => void,
): Promise<void> {
  // Do not save this state, because a run resumed from it would compute the same gradient and stop
  // again.
  if (error instanceof TrainingError && error.reason === 'not-finite') return;
  try {
    const state = await read();
    if (isSound(state)) {
      await save(state);
      say(`update ${state.update + 1} failed; all earlier updates are saved`);
    } else {
      say('the state in memory is broken, so the last saved state is kept');
    }
  } catch (why) {
    say(`the state in memory cannot be saved: ${(why as Error).message}`);
  }
}

function isSound({ tensors, pool, crowd, patients }: RunState): boolean {
  const areFinite = (numbers: Float32Array): boolean => numbers.every(Number.isFinite);
  return (
    [...tensors.values()].every(({ data }) => areFinite(data)) &&
    [...pool, ...crowd, ...patients].every(({ states }) => areFinite(states))
  );
}
