/**
 * How a visitor's page carries the names of kinds: only the translations, in the order of the
 * English names, which the room tells anyway. With them each language would be 2.5 kB larger.
 */

/** The translations, after the checksum of the English names. */
export type OrderedKinds = readonly [checksum: number, ...translations: string[]];

/** English names in the order of the translations. */
export const inOrder = (names: Iterable<string>): string[] => [...new Set(names)].sort();

/** FNV-1a of names in order, 0…2³²−1. */
export function checksumOf(names: readonly string[]): number {
  let hash = 0x811c9dc5;
  for (const letter of names.join('\n')) {
    hash = Math.imul(hash ^ letter.codePointAt(0)!, 0x01000193) >>> 0;
  }
  return hash;
}

/** @param kinds by English name */
export function orderedKinds(kinds: Readonly<Record<string, string>>): OrderedKinds {
  const names = inOrder(Object.keys(kinds));
  return [checksumOf(names), ...names.map((name) => kinds[name])];
}
