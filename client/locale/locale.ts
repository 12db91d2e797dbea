/**
 * Manages the language of a page. Each language has its own module of texts, which is loaded when
 * the language is chosen.
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
   * Translated names of the gallery's creatures, by English name. The visitor's page has only a
   * list of the translated names, in the order of the English names.
   */
  readonly kinds: Readonly<Record<string, string>> | OrderedKinds;
}

/**
 * Loads a page's translated texts and the translated names of creatures. Returns no texts for
 * English, which the page's code contains.
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
 * Lets Lit look up texts by their full ids. The build has shortened the ids in `templates` to
 * {@link SHORT_ID} characters.
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
 * Returns the locale in which to format numbers and dates. For English, it is 'en-GB'. For another
 * language, it is the tag of that language in the browser's settings, because the tag may name a
 * region, which may determine the digits. If the settings contain no such tag, it is the language's
 * code.
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
 * Sets the English names in the room's gallery. The visitor's page has only a list of the
 * translated names, in the order of the English names, so it needs the English names to find a
 * translation.
 */
export function knowKinds(names: Iterable<string>): void {
  const ordered = inOrder(names);
  // Add 1, because element 0 of the list of translations is a checksum.
  kindPlaces = new Map(ordered.map((name, i) => [name, i + 1]));
  kindChecksum = checksumOf(ordered);
}

/**
 * Translates the name of a creature in the gallery into the page's language. In English, only a few
 * unsuitable names are replaced. They cannot be changed in the checkpoint, because its identity
 * depends on all names.
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
  // On failure, set the previous language again. Without this call, Lit would believe that the new
  // language is still loading, and would ignore another attempt to choose it.
  await setLocale(next).catch(() => setLocale(getLocale()));
  root.lang = language();
  root.dir = LANGUAGES[language()].direction;
  delete root.dataset.words;
}

/**
 * Chooses the language when the page opens. From the following list, takes the first language that
 * the product has: the language in the address (`?lang=`), the visitor's earlier choice, and the
 * browser's preferred languages.
 *
 * @param loaders functions that load this page's texts
 */
export async function startLanguage(loaders: TextLoaders): Promise<void> {
  texts = loaders;
  const asked = new URLSearchParams(location.search).get('lang');
  const chosen = chooseLanguage([asked, localStore.read(), ...navigator.languages]);
  // Hide the page until the texts of its language have loaded, so that it does not first appear in
  // English.
  if (chosen !== SOURCE_LANGUAGE) document.documentElement.dataset.words = 'coming';
  await speak(chosen);
}

/**
 * Handles a visitor's choice of a language: switches the page to the language, and remembers it for
 * later visits.
 */
export async function choose({ target }: Event): Promise<void> {
  const select = target as HTMLSelectElement;
  const next = select.value as LanguageCode;
  localStore.write(next);
  const url = new URL(location.href);
  url.searchParams.delete('lang');
  history.replaceState(history.state, '', url);
  await speak(next);
  // If the texts of the chosen language could not be loaded, show the previous language again.
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
