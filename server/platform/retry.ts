/** Work that is tried again after a failure. Written here since its pauses are by the clock that is passed in, for tests. */
import { type Clock, pause } from './clock.ts';

export interface RetryOptions {
  readonly clock: Clock;
  /** Pauses before each further try, ms: as many tries as there are pauses, and one. */
  readonly pauses: readonly number[];
  /** Whether a further try may do better; default: always. */
  readonly isTransient?: (error: unknown) => boolean;
  /** Hears of each failure after which there is another try. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * @param work changes nothing when it fails
 * @throws what the last try throws
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
