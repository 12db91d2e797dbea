/**
 * Collects the texts of all pages, and writes their translations as modules. Translators work on
 * one file per language. Each page has its own module for each language, so that no page downloads
 * texts of another page.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Message,
  type ProgramMessage,
  validateLocalizedPlaceholders,
} from '@lit/localize-tools/lib/messages.js';
import { RuntimeLitLocalizer } from '@lit/localize-tools/lib/modes/runtime.js';
import type { Locale } from '@lit/localize-tools/lib/types/locale.js';
import {
  SOURCE_LANGUAGE,
  TRANSLATED_LANGUAGES,
  type TranslatedLanguage,
} from '../../../shared/languages.ts';

export type { ProgramMessage };

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const XLIFF = 'client/locale/xliff';
const KINDS = 'client/locale/kinds';
const WORDS = 'client/locale/words';
const SIGN_WORDS = 'server/host/sign-words.json';
/** Description file (card) of the model checkpoint whose gallery names are translated. */
const GALLERY = 'checkpoints/organisms/card.json';

/**
 * The entry module of each part of the product that has translated texts. A part's texts are those
 * in its entry module and in all modules that it imports, directly or indirectly.
 */
const ENTRIES = {
  visitor: 'client/visitor/main.ts',
  host: 'client/host/main.ts',
  keep: 'client/keep/main.ts',
  lineage: 'client/lineage/main.ts',
  table: 'client/table/main.ts',
  wall: 'client/wall/main.ts',
  sign: 'server/host/printed-sign.ts',
} as const;

const LOCALES = TRANSLATED_LANGUAGES as readonly string[] as Locale[];

type Part = keyof typeof ENTRIES;
type Program = RuntimeLitLocalizer['program'];
type Checker = ReturnType<Program['getTypeChecker']>;
type SourceFile = ReturnType<Program['getSourceFiles']>[number];
/** Translated texts, by English text. */
type Texts = Record<string, string>;

const configOf = (inputFiles: string[], outputDir: string): RuntimeLitLocalizer['config'] => ({
  baseDir: ROOT,
  resolve: (path) => resolve(ROOT, path),
  sourceLocale: SOURCE_LANGUAGE as Locale,
  targetLocales: LOCALES,
  // To save time, leave out the type declarations for browsers and Node.
  tsConfig: 'client/locale/tools/tsconfig.words.json',
  inputFiles,
  output: { mode: 'runtime', outputDir },
  interchange: { format: 'xliff', xliffDir: XLIFF },
});

/** Parses the source files of all parts. Create only one instance: parsing takes about a second. */
class Sources extends RuntimeLitLocalizer {
  get files(): Program {
    return this.program;
  }
}
const sources = new Sources(configOf(Object.values(ENTRIES), ''));

/** Names of the functions that mark a text for translation. */
const MARKS: readonly unknown[] = ['msg', 'str'];

/**
 * Returns a TypeScript program of the entry modules and of all files that they import, directly or
 * indirectly. To save time, the type checker computes types only for the functions in `MARKS`, and
 * returns `any` for everything else.
 */
function programOf(entries: readonly string[]): Program {
  const program = sources.files;
  const files = new Set<SourceFile>();
  const gather = (path: string): void => {
    const file = program.getSourceFile(path);
    if (!file || files.has(file)) return;
    files.add(file);
    for (const [, name] of file.text.matchAll(/(?:from|import\(|import) ?'(\.[^']+)'/g)) {
      gather(resolve(dirname(path), name));
    }
  };
  for (const entry of entries) gather(resolve(ROOT, entry));
  const checker = program.getTypeChecker();
  const getTypeAtLocation: Checker['getTypeAtLocation'] = (node) =>
    'text' in node && MARKS.includes(node.text)
      ? checker.getTypeAtLocation(node)
      : checker.getAnyType();
  const marks = Object.create(checker, { getTypeAtLocation: { value: getTypeAtLocation } });
  return Object.create(program, {
    getSourceFiles: { value: () => [...files] },
    getTypeChecker: { value: () => marks },
  });
}

/** Extracts the texts of several entry modules, and reads all translations. */
class Localizer extends RuntimeLitLocalizer {
  private found: Program | undefined;

  constructor(
    private readonly entries: string[],
    outputDir: string,
  ) {
    super(configOf(entries, outputDir));
  }

  override get program(): Program {
    this.found ??= programOf(this.entries);
    return this.found;
  }

  /** Allows plural forms to omit placeholders: 'one cell' needs no number. */
  override validateTranslations(): { errors: string[] } {
    const { translations } = this.readTranslationsSync();
    const errors: string[] = [];
    const whole = [...translations].map(([code, all]) => {
      const last = all.map(({ name, contents }) => {
        const forms = formsOf(code, contents);
        const other = forms.at(-1)!;
        const known = new Set(placeholdersOf(other));
        for (const extra of forms.flatMap(placeholdersOf).filter((each) => !known.has(each))) {
          const text = `${code}: the last plural form of ${name} has no placeholder ${extra}, but another form has it`;
          errors.push(text);
        }
        return { name, contents: other };
      });
      return [code, last] as const;
    });
    const { messages } = this.extractSourceMessages();
    return { errors: [...errors, ...validateLocalizedPlaceholders(messages, new Map(whole))] };
  }
}

/** Handles the texts of one part of the product. Texts without a translation stay in English. */
class PartLocalizer extends Localizer {
  override readTranslationsSync() {
    const { translations } = super.readTranslationsSync();
    const { messages } = this.extractSourceMessages();
    const complete = LOCALES.map((code) => {
      const done = translations.get(code)?.filter(({ contents }) => textOf(contents).trim());
      const known = new Map(done?.map((message) => [message.name, message]));
      return [code, messages.map((message) => known.get(message.name) ?? message)] as const;
    });
    return { translations: new Map(complete) };
  }
}

const placeholdersOf = (contents: Message['contents']): string[] =>
  contents.flatMap((part) => (typeof part === 'string' ? [] : [part.untranslatable]));

/**
 * Splits a translation at each '|' into its plural forms, the last of which is for 'other'. If the
 * number of forms differs from the language's number of plural categories, returns the whole
 * translation as one form.
 */
export function formsOf(code: string, contents: Message['contents']): Message['contents'][] {
  const forms: Message['contents'][] = [[]];
  for (const part of contents) {
    const [first, ...more] = typeof part === 'string' ? part.split('|') : [part];
    forms.at(-1)!.push(first);
    forms.push(...more.map((text) => [text]));
  }
  const { pluralCategories } = new Intl.PluralRules(code).resolvedOptions();
  return forms.length === pluralCategories.length ? forms : [contents];
}

/** Converts a message to the plain text that translators see. */
export const textOf = (contents: ProgramMessage['contents']): string =>
  contents.map((part) => (typeof part === 'string' ? part : part.untranslatable)).join('');

/** Handles all texts of the project and their translations. */
export class Words {
  private readonly parts: Readonly<Record<Part, PartLocalizer>>;
  private readonly all = new Localizer(Object.values(ENTRIES), '');

  /**
   * @param root folder in which to write generated files, in the same subfolders as in the
   *   repository
   */
  constructor(private readonly root = ROOT) {
    const parts = Object.keys(ENTRIES) as Part[];
    this.parts = pick(parts, (part) => new PartLocalizer([ENTRIES[part]], join(root, WORDS, part)));
  }

  /**
   * Returns all English texts in the source code, and errors for texts that cannot be extracted.
   */
  source() {
    return this.all.extractSourceMessages();
  }

  sourceOf(part: Part): readonly ProgramMessage[] {
    return this.parts[part].extractSourceMessages().messages;
  }

  /** Returns the translations into a language, by message id. Untranslated texts have no entry. */
  translations(code: TranslatedLanguage): ReadonlyMap<string, Message> {
    const messages = this.all.readTranslationsSync().translations.get(code as Locale) ?? [];
    return new Map(messages.map((message) => [message.name, message]));
  }

  /** Returns errors about placeholders in the translations. */
  problems(): readonly string[] {
    return this.all.validateTranslations().errors;
  }

  /**
   * Updates the translation files from the source code: adds new texts, and removes texts that the
   * code no longer contains.
   */
  async updateTranslationFiles(): Promise<void> {
    await this.all.writeInterchangeFiles();
    const names = await galleryNames();
    for (const code of TRANSLATED_LANGUAGES) {
      const known = await readKinds(code);
      await this.write(`${KINDS}/${code}.json`, asJson(pick(names, (name) => known[name] ?? '')));
    }
  }

  /**
   * Writes all translations that the pages and the server load, and replaces existing files.
   *
   * @throws Error if a translation lacks a placeholder
   */
  async build(): Promise<void> {
    await rm(join(this.root, WORDS), { recursive: true, force: true });
    for (const part of ['visitor', 'host', 'keep', 'lineage', 'table'] as const) {
      await this.parts[part].build();
      await this.writeLoaders(part, 'LocaleModule', (code) => `'./${code}.ts'`);
    }
    for (const code of TRANSLATED_LANGUAGES) {
      await this.write(`${WORDS}/wall/${code}.json`, asJson(this.plainTexts('wall', code)));
    }
    const texts = '{ default: Record<string, string> }';
    const json = "{ with: { type: 'json' } }";
    await this.writeLoaders('wall', texts, (code) => `'./${code}.json', ${json}`);
    await this.writeLoaders('kinds', texts, (code) => `'../../kinds/${code}.json', ${json}`);
    const sign = pick(TRANSLATED_LANGUAGES, (code) => this.plainTexts('sign', code));
    await this.write(SIGN_WORDS, asJson(sign));
  }

  /**
   * Returns the translations of the texts of one part of the product, by English text. Wall
   * displays and printed signs need these, because they show several languages at the same time.
   */
  private plainTexts(part: Part, code: TranslatedLanguage): Texts {
    const names = new Map(this.sourceOf(part).map((each) => [each.name, each]));
    const translated =
      this.parts[part].readTranslationsSync().translations.get(code as Locale) ?? [];
    const texts = translated.map(({ name, contents }) => {
      const text = textOf(names.get(name)!.contents);
      if (contents.every((each) => typeof each === 'string')) return [text, textOf(contents)];
      const message = `${part}: the text "${text}" has a template expression. Use a placeholder like {name} instead.`;
      throw new Error(message);
    });
    return Object.fromEntries(texts);
  }

  /** Writes a module with functions that import each language's translations. */
  private async writeLoaders(folder: string, type: string, from: (code: string) => string) {
    const lines = [
      '// Generated by `npm run words`: do not edit.',
      ...(type === 'LocaleModule' ? ["import type { LocaleModule } from '@lit/localize';"] : []),
      "import type { TranslatedLanguage } from '../../../../shared/languages.ts';",
      '',
      `export const LOADERS: Record<TranslatedLanguage, () => Promise<${type}>> = {`,
      ...TRANSLATED_LANGUAGES.map((code) => `  '${code}': () => import(${from(code)}),`),
      '};',
      '',
    ];
    await this.write(`${WORDS}/${folder}/index.ts`, lines.join('\n'));
  }

  private async write(path: string, text: string): Promise<void> {
    const file = join(this.root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

const asJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const pick = <K extends string, T>(keys: readonly K[], value: (key: K) => T): Record<K, T> =>
  Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, T>;

/**
 * Returns the English names of the creatures in the default gallery, sorted and without duplicates.
 */
export async function galleryNames(): Promise<readonly string[]> {
  const card = JSON.parse(await readFile(join(ROOT, GALLERY), 'utf8'));
  return [...new Set<string>(card.gallery.map(({ name }: { name: string }) => name))].sort();
}

/**
 * Reads the translated names of the gallery's creatures, by English name. Returns no names if the
 * language has no file yet.
 */
export async function readKinds(code: string): Promise<Texts> {
  const file = join(ROOT, KINDS, `${code}.json`);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  return JSON.parse(text);
}
