/** Functions for translated texts, used by pages and by the build. */

/**
 * A checksum of the English names of creatures, followed by the translated names in the order of
 * the English names (see `inOrder`). The checksum shows for which English names the list was made.
 */
export type OrderedKinds = readonly [checksum: number, ...translations: string[]];

/** Sorts English names and removes duplicates. `OrderedKinds` has the same order. */
export const inOrder = (names: Iterable<string>): string[] => [...new Set(names)].sort();

/** Returns the FNV-1a hash of the names in their order, 0 to 2³²−1. */
export function checksumOf(names: readonly string[]): number {
  let hash = 0x811c9dc5;
  for (const letter of names.join('\n')) {
    hash = Math.imul(hash ^ letter.codePointAt(0)!, 0x01000193) >>> 0;
  }
  return hash;
}

/**
 * Converts translated names to a list without the English names, to save space.
 *
 * @param kinds translated names, by English name
 */
export function orderedKinds(kinds: Readonly<Record<string, string>>): OrderedKinds {
  const names = inOrder(Object.keys(kinds));
  return [checksumOf(names), ...names.map((name) => kinds[name])];
}

/**
 * Number of characters to which the build shortens message ids. Full ids would add 2 kB to each
 * page.
 */
export const SHORT_ID = 6;

const CATEGORIES = ['zero', 'one', 'two', 'few', 'many', 'other'] as const;

/**
 * Chooses the plural form of a text for a number.
 *
 * @param language BCP 47 tag
 * @param n the number
 * @param text the plural forms, separated by '|', in the order zero, one, two, few, many, other,
 *   without the categories that the language lacks
 * @returns undefined if the text has only one form, or if the number of forms is not the number of
 *   the language's plural categories
 */
export function formFor(language: string, n: number, text: string): string | undefined {
  const forms = text.split('|');
  if (forms.length === 1) return undefined;
  const rules = new Intl.PluralRules(language);
  const { pluralCategories } = rules.resolvedOptions();
  if (forms.length !== pluralCategories.length) return undefined;
  const known = CATEGORIES.filter((category) => pluralCategories.includes(category));
  return forms[known.indexOf(rules.select(n))];
}
