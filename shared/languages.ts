/**
 * The only list of languages. All types, menus, settings and loaders of languages derive from it.
 *
 * To add a language:
 * 1. Add the language's entry to `LANGUAGES`. `npm run check:types` then fails until the language
 * has translations.
 * 2. Run `npm run words`, which creates the files to translate, `client/locale/xliff/<code>.xlf`
 * and `client/locale/kinds/<code>.json`.
 * 3. Translate both files: add a `<target>` for each `<source>`, and a name for each `""`. If the
 * language has more plural forms than English, separate the forms of a plural by '|', in the order
 * zero|one|two|few|many|other.
 * 4. Run `npm run words` again, which prints how much is not translated yet. To list the missing
 * translations, run `npm test -- test/unit/client/words`.
 */

interface LanguageEntry {
  /** Name of the language in the language itself, for language menus. */
  readonly name: string;
  /** Writing direction, as in the HTML attribute `dir`. */
  readonly direction: 'ltr' | 'rtl';
}

/** All languages, by BCP 47 tag. A tag has a region only if the region matters, as in 'pt-BR'. */
export const LANGUAGES = {
  en: { name: 'English', direction: 'ltr' },
  da: { name: 'Dansk', direction: 'ltr' },
  de: { name: 'Deutsch', direction: 'ltr' },
  es: { name: 'Español', direction: 'ltr' },
  ja: { name: '日本語', direction: 'ltr' },
  ar: { name: 'العربية', direction: 'rtl' },
} as const satisfies Record<string, LanguageEntry>;

export type LanguageCode = keyof typeof LANGUAGES;

/** The language of the texts in the source code. */
export const SOURCE_LANGUAGE = 'en' satisfies LanguageCode;

/** A language that has translation files. */
export type TranslatedLanguage = Exclude<LanguageCode, typeof SOURCE_LANGUAGE>;

export const LANGUAGE_CODES = Object.keys(LANGUAGES) as [LanguageCode, ...LanguageCode[]];

export const TRANSLATED_LANGUAGES = LANGUAGE_CODES.filter(isTranslated);

/** Returns whether a language has translation files. */
export function isTranslated(code: LanguageCode): code is TranslatedLanguage {
  return code !== SOURCE_LANGUAGE;
}

export function isLanguage(code: string): code is LanguageCode {
  return Object.hasOwn(LANGUAGES, code);
}

/**
 * Returns the first preferred language that is listed in `LANGUAGES`. 'de-AT' and 'DE' match
 * German.
 *
 * @param preferred language tags, most preferred first
 * @returns the source language if none of the preferred languages is listed
 */
export function chooseLanguage(preferred: readonly (string | null | undefined)[]): LanguageCode {
  for (const tag of preferred) {
    const parts = tag?.toLowerCase().split(/[-_]/) ?? [];
    for (let length = parts.length; length > 0; length--) {
      const prefix = parts.slice(0, length).join('-');
      const code = LANGUAGE_CODES.find((each) => each.toLowerCase() === prefix);
      if (code) return code;
    }
  }
  return SOURCE_LANGUAGE;
}
