/** Loads the texts of a page in one language. Each language's files are separate modules. */
import type { LocaleModule } from '@lit/localize';
import {
  isTranslated,
  type LanguageCode,
  type TranslatedLanguage,
} from '../../shared/languages.ts';
import { LOADERS as KIND_LOADERS } from './words/kinds/index.ts';

/** A page's texts in each language: `LOADERS` of its folder in `words/`. */
export type TextLoaders = Readonly<Record<TranslatedLanguage, () => Promise<LocaleModule>>>;

export interface Dictionary {
  /** By the id of the message. */
  readonly templates: LocaleModule['templates'];
  /** By the English name of the gallery. */
  readonly kinds: Readonly<Record<string, string>>;
}

/** Fetches the dictionary of a page. English is in the code: its dictionary is empty. */
export async function loadDictionary(
  language: LanguageCode,
  texts: TextLoaders,
): Promise<Dictionary> {
  if (!isTranslated(language)) return { templates: {}, kinds: {} };
  const [{ templates }, kinds] = await Promise.all([texts[language](), KIND_LOADERS[language]()]);
  return { templates, kinds: kinds.default };
}
