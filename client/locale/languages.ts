/** The languages that pages speak, and which of them somebody gets. Pure. */

/** Each by its own name. The first is the one that the code is written in. */
export const LANGUAGES = {
  en: 'English',
  da: 'Dansk',
  de: 'Deutsch',
  es: 'Español',
  ja: '日本語',
} as const satisfies Record<string, string>;

export type Language = keyof typeof LANGUAGES;

export function isLanguage(code: string): code is Language {
  return Object.hasOwn(LANGUAGES, code);
}

/**
 * The first wish that can be fulfilled; 'de-AT' and 'DE' are German.
 *
 * @param wishes language tags, the dearest first
 * @returns English when there is none
 */
export function chooseLanguage(wishes: readonly (string | null | undefined)[]): Language {
  for (const wish of wishes) {
    const code = wish?.toLowerCase().split(/[-_]/)[0] ?? '';
    if (isLanguage(code)) return code;
  }
  return 'en';
}
