/**
 * Functions that both the pages and the build use for translated texts. They handle shortened
 * message ids, plural forms, and names of creatures.
 *
 * To save space, the visitor's page contains only a list of the translated names of creatures, in
 * the order of the English names. The page receives the English names from the room.
 */

/**
 * A checksum of the English names of creatures, followed by the translated names in the order of
 * the English names (see `inOrder`). By the checksum, a page detects a list that was made for other
 * English names.
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
 * Converts translated names to a list without the English names.
 *
 * @param kinds translated names, by English name
 */
export function orderedKinds(kinds: Readonly<Record<string, string>>): OrderedKinds {
  const names = inOrder(Object.keys(kinds));
  return [checksumOf(names), ...names.map((name) => kinds[name])];
}

/**
 * Length of message ids that the build has shortened, in characters. Full ids would add 2 kB to
 * each page.
 */
export const SHORT_ID = 6;

const CATEGORIES = ['zero', 'one', 'two', 'few', 'many', 'other'] as const;

/**
 * Chooses the form of a text that is grammatically right for a number.
 *
 * @param language BCP 47 tag
 * @param n the number
 * @param text the forms for the language's plural categories, separated by '|', in the order zero,
 *   one, two, few, many, other
 * @returns undefined if the text does not have exactly one form per category
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
