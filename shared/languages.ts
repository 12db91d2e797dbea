/**
 * The only list of languages. All types, menus, settings and loaders of languages derive from it.
 *
 * To add a language:
 * 1. Add its entry to `LANGUAGES` below. `npm run check:types` then fails until it has
 * translations.
 * 2. Run `npm run words`. It writes everything to translate into `client/locale/xliff/<code>.xlf`
 * and `client/locale/kinds/<code>.json`. It also generates the files that pages and the server load.
 * 3. Translate these two files: add a `<target>` for each `<source>`, and a name for each `""`. If
 * the language has more plural forms than English, translate the plural with all its forms,
 * separated by '|', in the order zero|one|two|few|many|other (see `Intl.PluralRules`).
 * 4. Run `npm run words` again, which prints how much is not translated yet. Then run `npm run
 * check` and `npm test -- test/unit/client/words`, which lists the missing translations.
 */

interface LanguageEntry {
  /** The language's name in the language itself, shown in language menus. */
  readonly name: string;
  /** Writing direction of the language's script, as in the `dir` attribute of HTML. */
  readonly direction: 'ltr' | 'rtl';
}

/**
 * All languages. Keys are BCP 47 tags, as used in `lang` attributes, in `Intl` and in the query
 * `?lang=`. A key has a region only if it matters: 'pt', but 'pt-BR'.
 */
export const LANGUAGES = {
  en: { name: 'English', direction: 'ltr' },
  da: { name: 'Dansk', direction: 'ltr' },
  de: { name: 'Deutsch', direction: 'ltr' },
  es: { name: 'Español', direction: 'ltr' },
  ja: { name: '日本語', direction: 'ltr' },
  ar: { name: 'العربية', direction: 'rtl' },
} as const satisfies Record<string, LanguageEntry>;

export type LanguageCode = keyof typeof LANGUAGES;

/** The language of the texts in the source code. It needs no translation files. */
export const SOURCE_LANGUAGE = 'en' satisfies LanguageCode;

/** A language that has translation files. */
export type TranslatedLanguage = Exclude<LanguageCode, typeof SOURCE_LANGUAGE>;

export const LANGUAGE_CODES = Object.keys(LANGUAGES) as [LanguageCode, ...LanguageCode[]];

export const TRANSLATED_LANGUAGES = LANGUAGE_CODES.filter(isTranslated);

/** Returns whether a language has translation files. The source language has none. */
export function isTranslated(code: LanguageCode): code is TranslatedLanguage {
  return code !== SOURCE_LANGUAGE;
}

export function isLanguage(code: string): code is LanguageCode {
  return Object.hasOwn(LANGUAGES, code);
}

/**
 * Chooses a language from `LANGUAGES`: the first of the preferred languages that is listed there.
 * 'de-AT' and 'DE' match German.
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
