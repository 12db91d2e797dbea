interface Lookup<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): unknown;
}

/** The value of a key in a map; if there is none, adds the one that `create` makes. */
export function getOrAdd<K, V>(map: Lookup<K, V>, key: K, create: () => NonNullable<V>): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = create();
  map.set(key, value);
  return value;
}
