/** The language of this page: words come when they are needed, in a module for each language. */
import { configureLocalization } from '@lit/localize';
import { Kept } from '../kept.ts';
import { chooseLanguage, LANGUAGES, type Language } from './languages.ts';
import { type Dictionary, loadDictionary } from './load.ts';

const kept = new Kept('vivarium language');

const { getLocale, setLocale } = configureLocalization({
  sourceLocale: 'en',
  targetLocales: Object.keys(LANGUAGES).filter((code) => code !== 'en'),
  loadLocale: async (code) => {
    dictionary = await load(code as Language);
    return dictionary;
  },
});

let load = loadDictionary;
let dictionary: Dictionary | undefined;

/** The language that is spoken now. */
export function language(): Language {
  return getLocale() as Language;
}

/** What a gallery's kind is called in the language that is spoken now; undefined where no name is known. */
export function localKind(kind: string): string | undefined {
  return language() === 'en' ? undefined : dictionary?.kinds[kind];
}

/** Speaks a language; stays with the one before when its words cannot be fetched. */
async function speak(next: Language): Promise<void> {
  const root = document.documentElement;
  await setLocale(next).catch(() => undefined);
  root.lang = language();
  delete root.dataset.words;
}

/**
 * Speaks what the address asks for (`?lang=`), else what the visitor chose earlier, else what her browser prefers.
 *
 * @param from fetches the words of a page that has its own
 */
export async function startLanguage(from = loadDictionary): Promise<void> {
  load = from;
  const asked = new URLSearchParams(location.search).get('lang');
  const wish = chooseLanguage([asked, kept.read(), ...navigator.languages]);
  // Until its words are there, nothing is said in another language.
  if (wish !== 'en') document.documentElement.dataset.words = 'coming';
  await speak(wish);
}

/** The visitor chooses: from now on that is her language here. */
export async function chooseFor(next: Language): Promise<void> {
  kept.write(next);
  const url = new URL(location.href);
  url.searchParams.delete('lang');
  history.replaceState(history.state, '', url);
  await speak(next);
}
