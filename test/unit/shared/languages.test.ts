import { chooseLanguage, LANGUAGE_CODES, LANGUAGES } from '../../../shared/languages.ts';

test('a code is a language tag that Intl knows', () => {
  for (const code of LANGUAGE_CODES) {
    expect(Intl.getCanonicalLocales(code)).toEqual([code]);
    expect(Intl.PluralRules.supportedLocalesOf(code)).toEqual([code]);
    expect(LANGUAGES[code].name).toBe(LANGUAGES[code].name.normalize().trim());
  }
});

test.each([
  [['da'], 'da'],
  [['fr-CA', 'de-AT', 'en'], 'de'],
  [[null, undefined, 'ja-JP'], 'ja'],
  [['ES_mx'], 'es'],
  [['zh-Hant-TW', 'de-Latn-AT'], 'de'],
  [['en-GB', 'da'], 'en'],
  [['tlh', ''], 'en'],
  [['constructor', '__proto__', 'da'], 'da'],
  [[], 'en'],
] as const)('%j chooses %s', (preferred, language) => {
  expect(chooseLanguage(preferred)).toBe(language);
});
