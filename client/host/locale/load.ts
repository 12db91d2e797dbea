/** Fetches a language's words for the host's page, which has many that no visitor needs. */
import type { LocaleModule } from '@lit/localize';
import type { Language } from '../../locale/languages.ts';
import { type Dictionary, loadDictionary } from '../../locale/load.ts';

const WORDS: Partial<Record<Language, () => Promise<LocaleModule>>> = {
  da: () => import('./words/da.ts'),
  de: () => import('./words/de.ts'),
  es: () => import('./words/es.ts'),
  ja: () => import('./words/ja.ts'),
};

/** English is in the code. */
export async function loadHostDictionary(language: Language): Promise<Dictionary> {
  const [words, visitors] = await Promise.all([WORDS[language]?.(), loadDictionary(language)]);
  return { ...visitors, templates: { ...visitors.templates, ...words?.templates } };
}
