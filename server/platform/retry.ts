/** Retries failed work. Not a library, as its pauses use the clock that is passed in, for tests. */
import { type Clock, pause } from './clock.ts';

export interface RetryOptions {
  readonly clock: Clock;
  /** Pause before each retry, ms. There is one attempt more than there are pauses. */
  readonly pauses: readonly number[];
  /** Whether an error may go away; others are thrown immediately. Default: all. */
  readonly isTransient?: (error: unknown) => boolean;
  /** Called for each failure that is followed by a retry. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * Runs work until it succeeds or there are no pauses left.
 *
 * @param work must change nothing when it fails
 * @throws the error of the last attempt
 */
export async function retry<T>(
  work: () => Promise<T>,
  { clock, pauses, isTransient = () => true, onFailure }: RetryOptions,
): Promise<T> {
  for (const duration of pauses) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error)) throw error;
      onFailure?.(error);
    }
    await pause(clock, duration);
  }
  return work();
}
