/** What a failed update leaves is saved, unless it is broken: then what was saved last stays. */
import { TrainingError } from './errors.ts';
import type { RunState } from './run-state.ts';

/**
 * Does not throw: the error that ended the run is what one should hear of.
 *
 * @param error of the update
 * @param read where the run stands
 * @param say tells what became of it
 */
export async function saveAfterFailure(
  error: unknown,
  read: () => Promise<RunState>,
  save: (state: RunState) => Promise<void>,
  say: (line: string) => void,
): Promise<void> {
  // The same weights and images come to the same gradient again: a run that went on from here would end here.
  if (error instanceof TrainingError && error.reason === 'not-finite') return;
  try {
    const state = await read();
    if (isSound(state)) {
      await save(state);
      say(`update ${state.update + 1} failed; what was done before it is saved`);
    } else {
      say('what is in memory is broken: what was saved last stays');
    }
  } catch (why) {
    say(`what is in memory cannot be saved: ${(why as Error).message}`);
  }
}

function isSound({ tensors, pool, crowd }: RunState): boolean {
  const areFinite = (numbers: Float32Array): boolean => numbers.every(Number.isFinite);
  return (
    [...tensors.values()].every(({ data }) => areFinite(data)) &&
    [...pool, ...crowd].every(({ states }) => areFinite(states))
  );
}
