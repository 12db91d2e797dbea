/** Counts how many items have each key. */
export function countBy<T, K>(items: Iterable<T>, keyOf: (item: T) => K): ReadonlyMap<K, number> {
  const counts = new Map<K, number>();
  for (const item of items) {
    const key = keyOf(item);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Copies an object without the keys whose value is undefined. */
export function defined<T extends object>(object: T): Defined<T> {
  // A loop, because `Object.fromEntries` is several times slower, and ticks copy many objects.
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(object)) {
    const value = object[key as keyof T];
    if (value !== undefined) copy[key] = value;
  }
  return copy as Defined<T>;
}

/**
 * Returns the value of a key in a map. If the key is missing, first adds it with the value that
 * `create` returns.
 */
export function getOrAdd<K, V>(
  map: { get(key: K): V | undefined; set(key: K, value: V): unknown },
  key: K,
  create: () => NonNullable<V>,
): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = create();
  map.set(key, value);
  return value;
}

type Closable = { close(): Promise<void> };

/**
 * Waits until two services have started. If one fails to start, closes the other.
 *
 * @throws the error of the service that failed
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

/** A table of named numbers. `least` is the minimum of the number, 0 by default. */
export type NumberTable<K extends string = string> = Readonly<
  Record<K, readonly [number: number, meaning: string, least?: number]>
>;

/** Returns the numbers of a table without their descriptions, by name. */
export const numbersOf = <K extends string>(table: NumberTable<K>) =>
  Object.fromEntries(Object.keys(table).map((name) => [name, table[name as K][0]])) as Readonly<
    Record<K, number>
  >;
