/** Two that are started at the same time, both or neither. */
interface Closable {
  close(): Promise<void>;
}

/** Waits for two that take their time; when one does not start, the other is closed again. @throws as that one */
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
