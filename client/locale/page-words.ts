/**
 * How texts reach a page and become sentences: shortened ids, the names of kinds, plural forms. The
 * visitor's page contains only the translations of kinds, in the order of the English names. It
 * omits the English names, because the room sends them anyway and they would add 2.5 kB per
 * language.
 */

/** The checksum of the English names, then the translations. */
export type OrderedKinds = readonly [checksum: number, ...translations: string[]];

/** Sorts English names in the order of the translations. */
export const inOrder = (names: Iterable<string>): string[] => [...new Set(names)].sort();

/** Returns the FNV-1a hash of names in order, 0 to 2³²−1. */
export function checksumOf(names: readonly string[]): number {
  let hash = 0x811c9dc5;
  for (const letter of names.join('\n')) {
    hash = Math.imul(hash ^ letter.codePointAt(0)!, 0x01000193) >>> 0;
  }
  return hash;
}

/** @param kinds translations by English name */
export function orderedKinds(kinds: Readonly<Record<string, string>>): OrderedKinds {
  const names = inOrder(Object.keys(kinds));
  return [checksumOf(names), ...names.map((name) => kinds[name])];
}

/**
 * Number of characters to which pages shorten a text's id. The other eleven characters would add
 * 2 kB to each page.
 */
export const SHORT_ID = 6;

const CATEGORIES = ['zero', 'one', 'two', 'few', 'many', 'other'] as const;

/**
 * Returns the form of a text for a number. A translation may contain one form for each plural
 * category of its language, separated by '|', in the order zero, one, two, few, many, other.
 *
 * @param language BCP 47 tag
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
