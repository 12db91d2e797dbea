/** Manages the language of a page. The texts of each language are a separate module, loaded on demand. */
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

/**
 * Functions that load a page's texts, by language. Each folder `words/<page>/` exports them as
 * `LOADERS`.
 */
type TextLoaders = Readonly<Record<TranslatedLanguage, () => Promise<LocaleModule>>>;

interface Dictionary {
  /** Translated texts, by message id. */
  readonly templates: LocaleModule['templates'];
  /**
   * Translated names of the gallery's creatures, by English name. The visitor's page has only a
   * list of the translated names, sorted by their English names.
   */
  readonly kinds: Readonly<Record<string, string>> | OrderedKinds;
}

/**
 * Loads the translations of a page. For English, the result is empty, because the code contains the
 * English texts.
 */
export async function loadDictionary(
  language: LanguageCode,
  texts: TextLoaders,
): Promise<Dictionary> {
  if (!isTranslated(language)) return { templates: {}, kinds: {} };
  const [{ templates }, kinds] = await Promise.all([texts[language](), KIND_LOADERS[language]()]);
  return { templates: byShortId(templates), kinds: kinds.default };
}

/** Finds texts by their full ids, even though the build shortens ids to {@link SHORT_ID} characters. */
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
    // Keep the translations only if the visitor has not chosen another language in the meantime.
    if (code === wanted) dictionary = loaded;
    return loaded;
  },
});

let texts: TextLoaders | undefined;
let dictionary: Dictionary | undefined;
let wanted: LanguageCode = SOURCE_LANGUAGE;

export const language = (): LanguageCode => getLocale() as LanguageCode;

/**
 * Returns the locale for formatting numbers and dates. For English, this is British English, as in the
 * page's texts. For other languages, it is the tag from the browser's settings, because its region may
 * determine which digits are used.
 */
export function formats(): string {
  const code = language();
  if (code === SOURCE_LANGUAGE) return 'en-GB';
  const all = globalThis.navigator?.languages ?? [];
  // Skip invalid tags: Chromium may report 'en-US@posix'.
  const tags = all.filter((tag) => /^[\w-]+$/.test(tag));
  return tags.find((tag) => tag.split('-')[0] === code) ?? code;
}

/** For each English name in the room's gallery: its index in the list of translated names. */
let kindPlaces: ReadonlyMap<string, number> = new Map();
let kindChecksum = 0;

/** Registers the names of the room's gallery. The visitor's page needs them to translate names. */
export function knowKinds(names: Iterable<string>): void {
  const ordered = inOrder(names);
  // Add 1, because element 0 of the list of translations is a checksum.
  kindPlaces = new Map(ordered.map((name, i) => [name, i + 1]));
  kindChecksum = checksumOf(ordered);
}

/**
 * Translates the name of a gallery creature into the page's language. Returns undefined if there is no
 * translation. If the page's language is English, only a few unsuitable names have a replacement.
 * The checkpoint must keep the unsuitable names, because names are part of its identity.
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

/** Switches the language. If loading its texts fails, the page keeps its previous language. */
async function speak(next: LanguageCode): Promise<void> {
  const root = document.documentElement;
  wanted = next;
  // On failure, set the previous locale again. Otherwise, Lit would treat the failed language as still
  // loading, and the visitor could not choose it again.
  await setLocale(next).catch(() => setLocale(getLocale()));
  root.lang = language();
  root.dir = LANGUAGES[language()].direction;
  delete root.dataset.words;
}

/**
 * Chooses the language when the page opens. Uses the language in the address (`?lang=`); if there
 * is none, the visitor's earlier choice; if there is none, the browser's preferences.
 *
 * @param loaders functions that load this page's texts
 */
export async function startLanguage(loaders: TextLoaders): Promise<void> {
  texts = loaders;
  const asked = new URLSearchParams(location.search).get('lang');
  const chosen = chooseLanguage([asked, localStore.read(), ...navigator.languages]);
  // Hide the page until its texts have loaded, so that no text appears in another language first.
  if (chosen !== SOURCE_LANGUAGE) document.documentElement.dataset.words = 'coming';
  await speak(chosen);
}

/** Handles a visitor's choice of a language: switches to it, and remembers it. */
export async function choose({ target }: Event): Promise<void> {
  const select = target as HTMLSelectElement;
  const next = select.value as LanguageCode;
  localStore.write(next);
  const url = new URL(location.href);
  url.searchParams.delete('lang');
  history.replaceState(history.state, '', url);
  await speak(next);
  // If the texts failed to load, the language has not changed, so show the actual language.
  select.value = language();
}

/** Renders the select element that changes the language of the page without reloading it. */
export const languageSelect = (change: (event: Event) => unknown = choose): TemplateResult =>
  html`<select aria-label=${msg('Language')} data-testid="language" @change=${change}>
    ${LANGUAGE_CODES.map(
      (code) =>
        html`<option value=${code} lang=${code} .selected=${code === language()}>${LANGUAGES[code].name}</option>`,
    )}
  </select>`;
