/**
 * Manages the language of a page. The module of a language's texts is loaded when the language is
 * chosen.
 */
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
 * Functions that load the texts of one page, by language. The generated modules
 * `words/<page>/index.ts` export them as `LOADERS`.
 */
type TextLoaders = Readonly<Record<TranslatedLanguage, () => Promise<LocaleModule>>>;

interface Dictionary {
  /** Translated texts, by message id. */
  readonly templates: LocaleModule['templates'];
  /**
   * Translated names of the gallery's creatures: either a map with the English names as keys, or a
   * list in the order of the English names (`OrderedKinds`).
   */
  readonly kinds: Readonly<Record<string, string>> | OrderedKinds;
}

/**
 * Loads a page's translated texts and the translated names of creatures. English has no
 * translations, so the result is empty.
 */
export async function loadDictionary(
  language: LanguageCode,
  texts: TextLoaders,
): Promise<Dictionary> {
  if (!isTranslated(language)) return { templates: {}, kinds: {} };
  const [{ templates }, kinds] = await Promise.all([texts[language](), KIND_LOADERS[language]()]);
  return { templates: byShortId(templates), kinds: kinds.default };
}

/**
 * Lets Lit look up texts by their full ids. `templates` has only the first {@link SHORT_ID}
 * characters of each id.
 */
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
    // The visitor may have chosen another language while this one was loading.
    if (code === wanted) dictionary = loaded;
    return loaded;
  },
});

let texts: TextLoaders | undefined;
let dictionary: Dictionary | undefined;
let wanted: LanguageCode = SOURCE_LANGUAGE;

export const language = (): LanguageCode => getLocale() as LanguageCode;

/**
 * Returns the locale for numbers and dates: 'en-GB' for English. For another language, returns the
 * browser's tag, such as 'de-AT', or else the language's code.
 */
export function formats(): string {
  const code = language();
  if (code === SOURCE_LANGUAGE) return 'en-GB';
  const all = globalThis.navigator?.languages ?? [];
  // Skip invalid tags: Chromium may report 'en-US@posix'.
  const tags = all.filter((tag) => /^[\w-]+$/.test(tag));
  return tags.find((tag) => tag.split('-')[0] === code) ?? code;
}

/** For each English name in the room's gallery, the index of its translation in `OrderedKinds`. */
let kindPlaces: ReadonlyMap<string, number> = new Map();
let kindChecksum = 0;

/**
 * Stores the English names of the creatures in the room's gallery. The page needs these names to
 * find the translations in `OrderedKinds`.
 */
export function knowKinds(names: Iterable<string>): void {
  const ordered = inOrder(names);
  // Element 0 of `OrderedKinds` is a checksum, so add 1.
  kindPlaces = new Map(ordered.map((name, i) => [name, i + 1]));
  kindChecksum = checksumOf(ordered);
}

/**
 * Translates the name of a creature in the gallery into the page's language. For English, only
 * replaces a few unsuitable names.
 *
 * @returns undefined if there is no translation or replacement
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

/**
 * Switches the page to another language. If its texts cannot be loaded, the page keeps its previous
 * language.
 */
async function speak(next: LanguageCode): Promise<void> {
  const root = document.documentElement;
  wanted = next;
  // On failure, set the previous language again. Otherwise, Lit would ignore another attempt to
  // choose the new language.
  await setLocale(next).catch(() => setLocale(getLocale()));
  root.lang = language();
  root.dir = LANGUAGES[language()].direction;
  delete root.dataset.words;
}

/**
 * Chooses the language when the page opens: the language in the page's URL (`?lang=`), the
 * visitor's earlier choice, or the browser's preferred languages, in this order.
 *
 * @param loaders functions that load this page's texts
 */
export async function startLanguage(loaders: TextLoaders): Promise<void> {
  texts = loaders;
  const asked = new URLSearchParams(location.search).get('lang');
  const chosen = chooseLanguage([asked, localStore.read(), ...navigator.languages]);
  // Hide the page until its texts have loaded. Otherwise, the page would first appear in English.
  if (chosen !== SOURCE_LANGUAGE) document.documentElement.dataset.words = 'coming';
  await speak(chosen);
}

/**
 * Switches the page to the language that the visitor chose, and stores the choice for later visits.
 */
export async function choose({ target }: Event): Promise<void> {
  const select = target as HTMLSelectElement;
  const next = select.value as LanguageCode;
  localStore.write(next);
  const url = new URL(location.href);
  url.searchParams.delete('lang');
  history.replaceState(history.state, '', url);
  await speak(next);
  // If the language could not be loaded, show the previous choice again.
  select.value = language();
}

/**
 * Renders the menu of the page's languages.
 *
 * @param change handles a choice; by default, the language changes without reloading the page
 */
export const languageSelect = (change: (event: Event) => unknown = choose): TemplateResult =>
  html`<select aria-label=${msg('Language')} data-testid="language" @change=${change}>
    ${LANGUAGE_CODES.map(
      (code) =>
        html`<option value=${code} lang=${code} .selected=${code === language()}>${LANGUAGES[code].name}</option>`,
    )}
  </select>`;
