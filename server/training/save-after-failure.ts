/** Saves the state after a failed update, unless it is broken: then the last saved one stays. */
import { TrainingError } from './errors.ts';
import type { RunState } from './run-state.ts';

/**
 * Saves what was done before a failed update. Does not throw, so that the error of the update is
 * reported.
 *
 * @param error of the update
 * @param read reads the state of the run
 * @param say prints what happened
 */
export async function saveAfterFailure(
  error: unknown,
  read: () => Promise<RunState>,
  save: (state: RunState) => Promise<void>,
  say: (line: string) => void,
): Promise<void> {
  // A run resumed from here would compute the same gradient and stop again.
  if (error instanceof TrainingError && error.reason === 'not-finite') return;
  try {
    const state = await read();
    if (isSound(state)) {
      await save(state);
      say(`update ${state.update + 1} failed; the updates before it are saved`);
    } else {
      say('the state in memory is broken: the last saved state stays');
    }
  } catch (why) {
    say(`the state in memory cannot be saved: ${(why as Error).message}`);
  }
}

function isSound({ tensors, pool, crowd }: RunState): boolean {
  const areFinite = (numbers: Float32Array): boolean => numbers.every(Number.isFinite);
  return (
    [...tensors.values()].every(({ data }) => areFinite(data)) &&
    [...pool, ...crowd].every(({ states }) => areFinite(states))
  );
}
