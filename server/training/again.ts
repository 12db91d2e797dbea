/** Work that is done again when a thread has died in it. */
import { TrainingError } from './errors.ts';

/** Want of memory passes; what kills a thread each time does not. */
const TRIES = 3;

/**
 * @param work changes nothing when a thread dies in it
 * @param told hears of each death that does not end it
 * @throws what `work` throws; lost-thread: the last try has lost one too
 */
export async function again<T>(
  work: () => Promise<T>,
  told: (error: TrainingError) => void,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      const isLost = error instanceof TrainingError && error.reason === 'lost-thread';
      if (!isLost || tries === TRIES) throw error;
      told(error);
    }
  }
}
