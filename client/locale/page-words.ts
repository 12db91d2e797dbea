/**
 * Functions for translated texts that both the pages and the build use: shortened ids, names of
 * creatures, and plural forms. The visitor's page contains the translated names of creatures only as a
 * list, in the order of the English names. The English names would add 2.5 kB per language, and the
 * room sends them anyway.
 */

/** A checksum of the English names, followed by the translated names in the order of `inOrder`. */
export type OrderedKinds = readonly [checksum: number, ...translations: string[]];

/**
 * Returns English names without duplicates, sorted. `OrderedKinds` stores the translated names in
 * the same order.
 */
export const inOrder = (names: Iterable<string>): string[] => [...new Set(names)].sort();

/** Returns the FNV-1a hash of the names in their order, 0 to 2³²−1. */
export function checksumOf(names: readonly string[]): number {
  let hash = 0x811c9dc5;
  for (const letter of names.join('\n')) {
    hash = Math.imul(hash ^ letter.codePointAt(0)!, 0x01000193) >>> 0;
  }
  return hash;
}

/** Converts translations to a list. @param kinds translated names, by English name */
export function orderedKinds(kinds: Readonly<Record<string, string>>): OrderedKinds {
  const names = inOrder(Object.keys(kinds));
  return [checksumOf(names), ...names.map((name) => kinds[name])];
}

/**
 * Number of characters that the build keeps of a message id. The eleven remaining characters of each
 * id would add 2 kB to each page.
 */
export const SHORT_ID = 6;

const CATEGORIES = ['zero', 'one', 'two', 'few', 'many', 'other'] as const;

/**
 * Returns the plural form of a text for a number. A translation may contain one form per plural
 * category of its language, separated by '|', in the order zero, one, two, few, many, other.
 *
 * @param language BCP 47 tag
 * @param n the number
 * @param text all forms of the text
 * @returns undefined if the text has only one form
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
