/** How a page's language is chosen, also where its texts do not come. */
import { choose, language, startLanguage } from '../../../client/locale/locale.ts';
import type { LanguageCode } from '../../../shared/languages.ts';

const text = { templates: {} };

/** A page in English, whose texts of these languages cannot be loaded. */
async function open(missing: Set<LanguageCode>) {
  const root = { lang: '', dir: '', dataset: {} };
  Object.assign(globalThis, {
    window: new EventTarget(),
    document: { documentElement: root },
    location: { href: 'https://example.org/r/main', search: '' },
    history: { state: null, replaceState: () => undefined },
  });
  const load = (code: LanguageCode) => async () => {
    if (missing.has(code)) throw new Error('offline');
    return text;
  };
  const languages = ['ar', 'da', 'de', 'es', 'ja'] as const;
  const loaders = Object.fromEntries(languages.map((code) => [code, load(code)]));
  Object.defineProperty(globalThis, 'navigator', {
    value: { languages: ['en'] },
    configurable: true,
  });
  await startLanguage(loaders as never);
  const select = { value: 'en' };
  return {
    root,
    select,
    choose: async (code: LanguageCode) => {
      select.value = code;
      await choose({ target: select } as unknown as Event);
      return [language(), root.lang, select.value];
    },
  };
}

test('a language whose texts do not come leaves the one before, and can be chosen again', async () => {
  const missing = new Set<LanguageCode>(['de', 'ar']);
  const { root, choose: pick } = await open(missing);
  expect(await pick('de')).toEqual(['en', 'en', 'en']);
  missing.delete('de');
  expect(await pick('de')).toEqual(['de', 'de', 'de']);
  expect(await pick('ar')).toEqual(['de', 'de', 'de']);
  expect(root.dir).toBe('ltr');
  missing.delete('ar');
  expect(await pick('ar')).toEqual(['ar', 'ar', 'ar']);
  expect(root.dir).toBe('rtl');
});
