/** Several jobs at a time. */

/**
 * Does all jobs, `lanes` of them at a time; results come in the jobs' order. When one fails no new one begins, and its
 * error is thrown once those that had begun have ended.
 */
export async function inLanes<T, R>(
  jobs: readonly T[],
  lanes: number,
  work: (job: T, i: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(jobs.length);
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    while (next < jobs.length && !failure) {
      const i = next++;
      try {
        results[i] = await work(jobs[i], i);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, jobs.length) }, lane));
  if (failure) throw (failure as { readonly error: unknown }).error;
  return results;
}
