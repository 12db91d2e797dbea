/** Runs many small asynchronous jobs, a few at a time. */
import { availableParallelism } from 'node:os';

/**
 * Runs `job(0)` … `job(count - 1)`. The first failure stops the rest and is thrown once running
 * jobs have ended.
 *
 * @param onProgress called after every 256 jobs, and at the end
 */
export async function forEachIndex(
  count: number,
  job: (index: number) => Promise<void>,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<void> {
  let next = 0;
  let done = 0;
  let failed: { error: unknown } | undefined;
  const work = async () => {
    while (next < count && failed === undefined) {
      try {
        await job(next++);
        if (++done % 256 === 0 || done === count) onProgress(done, count);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: 2 * availableParallelism() }, work));
  if (failed !== undefined) throw failed.error;
}
