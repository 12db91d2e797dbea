/** Starts two services concurrently, or neither. */
interface Closable {
  close(): Promise<void>;
}

/**
 * Waits for both. If one fails to start, closes the other.
 * @throws the error of the one that failed
 */
export async function startBoth<A extends Closable, B extends Closable | undefined>(
  a: Promise<A>,
  b: B | Promise<B>,
): Promise<[A, B]> {
  const [first, second] = await Promise.allSettled([a, b]);
  if (first.status === 'fulfilled' && second.status === 'fulfilled') {
    return [first.value, second.value];
  }
  for (const start of [first, second]) {
    if (start.status === 'fulfilled') await start.value?.close();
  }
  throw (second.status === 'rejected' ? second : (first as PromiseRejectedResult)).reason;
}
