/**
 * How texts reach a page and become sentences: shortened ids, the names of kinds, plural forms. A
 * visitor's page carries only the translations of kinds, in the order of the English names, which the
 * room sends anyway: otherwise each language would be 2.5 kB larger.
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

/** Characters of a text's id that pages carry: the other eleven would be 2 kB of each page. */
export const SHORT_ID = 6;

const CATEGORIES = ['zero', 'one', 'two', 'few', 'many', 'other'] as const;

/**
 * The form of a text for a number. A translation may give a form for each plural category that its
 * language has, in the order zero, one, two, few, many, other, with '|' between them.
 *
 * @param language BCP 47 tag
 * @returns undefined where the text has one form
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
