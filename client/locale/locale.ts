/** The language of this page: words come when they are needed, in a module for each language. */
import { configureLocalization } from '@lit/localize';
import {
  chooseLanguage,
  LANGUAGES,
  type LanguageCode,
  SOURCE_LANGUAGE,
  TRANSLATED_LANGUAGES,
} from '../../shared/languages.ts';
import { LocalStore } from '../state/local-store.ts';
import { type Dictionary, loadDictionary, type TextLoaders } from './load.ts';

const localStore = new LocalStore('vivarium language');

const { getLocale, setLocale } = configureLocalization({
  sourceLocale: SOURCE_LANGUAGE,
  targetLocales: TRANSLATED_LANGUAGES,
  loadLocale: async (code) => {
    if (!texts) throw new Error('startLanguage comes first');
    dictionary = await loadDictionary(code as LanguageCode, texts);
    return dictionary;
  },
});

let texts: TextLoaders | undefined;
let dictionary: Dictionary | undefined;

/** The language that is spoken now. */
export function language(): LanguageCode {
  return getLocale() as LanguageCode;
}

/**
 * What a gallery's kind is called in the language that is spoken now; undefined where no name is
 * known.
 */
export function localKind(kind: string): string | undefined {
  return language() === SOURCE_LANGUAGE ? undefined : dictionary?.kinds[kind] || undefined;
}

/** Speaks a language; stays with the one before when its words cannot be fetched. */
async function speak(next: LanguageCode): Promise<void> {
  const root = document.documentElement;
  await setLocale(next).catch(() => undefined);
  root.lang = language();
  root.dir = LANGUAGES[language()].direction;
  delete root.dataset.words;
}

/**
 * Speaks what the address asks for (`?lang=`), else what the visitor chose earlier, else what her
 * browser prefers.
 *
 * @param loaders of this page's texts
 */
export async function startLanguage(loaders: TextLoaders): Promise<void> {
  texts = loaders;
  const asked = new URLSearchParams(location.search).get('lang');
  const wish = chooseLanguage([asked, localStore.read(), ...navigator.languages]);
  // Until its words are there, nothing is said in another language.
  if (wish !== SOURCE_LANGUAGE) document.documentElement.dataset.words = 'coming';
  await speak(wish);
}

/** The visitor chooses: from now on that is her language here. */
export async function chooseFor(next: LanguageCode): Promise<void> {
  localStore.write(next);
  const url = new URL(location.href);
  url.searchParams.delete('lang');
  history.replaceState(history.state, '', url);
  await speak(next);
}
