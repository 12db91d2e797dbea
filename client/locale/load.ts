/** Fetches a language's words. Each language is a module of its own: a page loads only what it speaks. */
import type { LocaleModule } from '@lit/localize';
import type { Language } from './languages.ts';

export interface Dictionary {
  /** By the id of the message. */
  readonly templates: LocaleModule['templates'];
  /** By the English name of the gallery. */
  readonly kinds: Readonly<Record<string, string>>;
}

type Kinds = Promise<{ default: Dictionary['kinds'] }>;

const WORDS: Partial<Record<Language, () => Promise<LocaleModule>>> = {
  da: () => import('./words/da.ts'),
  de: () => import('./words/de.ts'),
  es: () => import('./words/es.ts'),
  ja: () => import('./words/ja.ts'),
};

const KINDS: Partial<Record<Language, () => Kinds>> = {
  da: () => import('./kinds/da.ts'),
  de: () => import('./kinds/de.ts'),
  es: () => import('./kinds/es.ts'),
  ja: () => import('./kinds/ja.ts'),
};

/** English is in the code. */
export async function loadDictionary(language: Language): Promise<Dictionary> {
  const [words, kinds] = await Promise.all([WORDS[language]?.(), KINDS[language]?.()]);
  return { templates: words?.templates ?? {}, kinds: kinds?.default ?? {} };
}
