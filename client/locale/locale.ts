/** The language of this page. Each language is a separate module, loaded when needed. */
import { configureLocalization, type LocaleModule, msg } from '@lit/localize';
import { html, type TemplateResult } from 'lit';
import {
  chooseLanguage,
  isTranslated,
  LANGUAGE_CODES,
  LANGUAGES,
  type LanguageCode,
  SOURCE_LANGUAGE,
  TRANSLATED_LANGUAGES,
  type TranslatedLanguage,
} from '../../shared/languages.ts';
import { BrowserStore } from '../state/browser-store.ts';
import english from './kinds/en.json' with { type: 'json' };
import { checksumOf, inOrder, type OrderedKinds, SHORT_ID } from './page-words.ts';
import { LOADERS as KIND_LOADERS } from './words/kinds/index.ts';

/** Loaders for a page's texts in each language, exported as `LOADERS` from `words/<page>/`. */
type TextLoaders = Readonly<Record<TranslatedLanguage, () => Promise<LocaleModule>>>;

interface Dictionary {
  /** Keyed by the id of the message. */
  readonly templates: LocaleModule['templates'];
  /**
   * Translated names of the gallery, keyed by the English names. On the visitor's page, a list in
   * the order of the English names.
   */
  readonly kinds: Readonly<Record<string, string>> | OrderedKinds;
}

/**
 * Fetches the dictionary of a page. The English dictionary is empty, because English is in the
 * code.
 */
export async function loadDictionary(
  language: LanguageCode,
  texts: TextLoaders,
): Promise<Dictionary> {
  if (!isTranslated(language)) return { templates: {}, kinds: {} };
  const [{ templates }, kinds] = await Promise.all([texts[language](), KIND_LOADERS[language]()]);
  return { templates: byShortId(templates), kinds: kinds.default };
}

/** Finds texts even if the build has shortened their ids to {@link SHORT_ID} characters. */
const byShortId = (templates: LocaleModule['templates']): LocaleModule['templates'] =>
  new Proxy(templates, {
    get: (all, id: string) => all[id] ?? all[id.slice(0, SHORT_ID)],
  });

const localStore = new BrowserStore('localStorage', 'vivarium language');

const { getLocale, setLocale } = configureLocalization({
  sourceLocale: SOURCE_LANGUAGE,
  targetLocales: TRANSLATED_LANGUAGES,
  loadLocale: async (code) => {
    if (!texts) throw new Error('no language');
    const loaded = await loadDictionary(code as LanguageCode, texts);
    // Keep the dictionary only if the visitor has not chosen another language in the meantime.
    if (code === wanted) dictionary = loaded;
    return loaded;
  },
});

let texts: TextLoaders | undefined;
let dictionary: Dictionary | undefined;
let wanted: LanguageCode = SOURCE_LANGUAGE;

export const language = (): LanguageCode => getLocale() as LanguageCode;

/**
 * The locale for numbers and dates. For English, it is British English, like the page's words. For
 * other languages, it is the tag in the browser's settings, because its region decides on the
 * digits.
 */
export function formats(): string {
  const code = language();
  if (code === SOURCE_LANGUAGE) return 'en-GB';
  const all = globalThis.navigator?.languages ?? [];
  // Keep only valid tags, because Chromium may report 'en-US@posix'.
  const tags = all.filter((tag) => /^[\w-]+$/.test(tag));
  return tags.find((tag) => tag.split('-')[0] === code) ?? code;
}

/** For each English name in the room's gallery, its index in the list of translations. */
let kindPlaces: ReadonlyMap<string, number> = new Map();
let kindChecksum = 0;

/** Registers the names of the room's gallery, so that the visitor's page can translate them. */
export function knowKinds(names: Iterable<string>): void {
  const ordered = inOrder(names);
  // Add 1, because index 0 of the translations is the checksum.
  kindPlaces = new Map(ordered.map((name, i) => [name, i + 1]));
  kindChecksum = checksumOf(ordered);
}

/**
 * Translates the name of a gallery kind into the current language; undefined if there is no
 * translation. In English, it replaces only names that are not names of creatures: cards keep
 * these, because names are part of a checkpoint's identity.
 */
export function localKind(kind: string): string | undefined {
  if (language() === SOURCE_LANGUAGE) return (english as Record<string, string>)[kind];
  if (!dictionary) return undefined;
  const { kinds } = dictionary;
  if (!isOrdered(kinds)) return kinds[kind] || undefined;
  const place = kinds[0] === kindChecksum ? kindPlaces.get(kind) : undefined;
  return place === undefined ? undefined : (kinds[place] as string) || undefined;
}

const isOrdered = (kinds: Dictionary['kinds']): kinds is OrderedKinds => Array.isArray(kinds);

/** Switches the language. If its texts cannot be loaded, the page keeps the previous language. */
async function speak(next: LanguageCode): Promise<void> {
  const root = document.documentElement;
  wanted = next;
  // On failure, set the old locale, because otherwise a language that failed to load would still
  // count as loading and could not be chosen again.
  await setLocale(next).catch(() => setLocale(getLocale()));
  root.lang = language();
  root.dir = LANGUAGES[language()].direction;
  delete root.dataset.words;
}

/**
 * Chooses the language at startup: from the address (`?lang=`), else the visitor's earlier choice,
 * else the browser's preferences.
 *
 * @param loaders of this page's texts
 */
export async function startLanguage(loaders: TextLoaders): Promise<void> {
  texts = loaders;
  const asked = new URLSearchParams(location.search).get('lang');
  const chosen = chooseLanguage([asked, localStore.read(), ...navigator.languages]);
  // Hide the page until its texts are loaded, so that they never appear in another language.
  if (chosen !== SOURCE_LANGUAGE) document.documentElement.dataset.words = 'coming';
  await speak(chosen);
}

/** Switches to the visitor's choice in a select of languages, and stores it. */
export async function choose({ target }: Event): Promise<void> {
  const select = target as HTMLSelectElement;
  const next = select.value as LanguageCode;
  localStore.write(next);
  const url = new URL(location.href);
  url.searchParams.delete('lang');
  history.replaceState(history.state, '', url);
  await speak(next);
  // Show the current language: if the texts failed to load, it has not changed.
  select.value = language();
}

/** Renders the menu that changes the page's language without reloading. */
export const languageSelect = (change: (event: Event) => unknown = choose): TemplateResult =>
  html`<select aria-label=${msg('Language')} data-testid="language" @change=${change}>
    ${LANGUAGE_CODES.map(
      (code) =>
        html`<option value=${code} lang=${code} .selected=${code === language()}>${LANGUAGES[code].name}</option>`,
    )}
  </select>`;
