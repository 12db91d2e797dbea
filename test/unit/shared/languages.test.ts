import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  chooseLanguage,
  LANGUAGE_CODES,
  LANGUAGES,
  TRANSLATED_LANGUAGES,
} from '../../../shared/languages.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

test('every language has its translation files, and there are no others', () => {
  const codes = [...TRANSLATED_LANGUAGES].sort();
  for (const [folder, type] of [
    ['xliff', '.xlf'],
    ['kinds', '.json'],
  ]) {
    const files = readdirSync(join(root, 'client/locale', folder));
    expect(files.sort()).toEqual(codes.map((code) => `${code}${type}`));
  }
});

test('a code is a language tag that Intl knows', () => {
  for (const code of LANGUAGE_CODES) {
    expect(Intl.getCanonicalLocales(code)).toEqual([code]);
    expect(Intl.PluralRules.supportedLocalesOf(code)).toEqual([code]);
    expect(LANGUAGES[code].name).toBe(LANGUAGES[code].name.normalize().trim());
  }
});

test('no other code lists languages', () => {
  const generated = [
    'shared/languages.ts',
    'client/locale/words/',
    'client/locale/kinds/',
    'client/dist/',
    'server/host/sign-words.json',
    // Lists of words, which a new language may add to.
    'server/realtime/names/',
  ];
  const sources = ['client', 'server', 'shared'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
      .filter((file) => /\.(ts|mjs|json|html)$/.test(file))
      .filter((file) => !generated.some((prefix) => file.startsWith(prefix))),
  );
  expect(sources.length).toBeGreaterThan(300);
  const named = new RegExp(
    `(['"\`])(?:${TRANSLATED_LANGUAGES.join('|')})\\1|^\\s*(?:${TRANSLATED_LANGUAGES.join('|')}):`,
    'm',
  );
  expect(sources.filter((file) => named.test(readFileSync(join(root, file), 'utf8')))).toEqual([]);
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
