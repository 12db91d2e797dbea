/** Texts that a language words differently for different numbers. */

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
