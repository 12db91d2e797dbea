/** Our own words beside those of the libraries, by language. All languages hold on every page. */
import lists from './word-lists.json' with { type: 'json' };

/** Words are separated by a comma and a space. */
interface WordList {
  /** Shorter words of the library's list are left out. */
  readonly shortest?: number;
  /** Words of the library's lists that are names, or harmless in some language. */
  readonly everyday?: string;
  /** Offensive words that the library's list lacks. */
  readonly more?: string;
  /** Parts that make any word offensive. */
  readonly within?: string;
  /** What the host, the gardener and the server are called. */
  readonly roles?: string;
}

export const split = (words: string | undefined): string[] => words?.split(', ') ?? [];

export const WORD_LISTS: Readonly<Record<string, WordList>> = lists.languages;

/** Names and words that resemble offensive ones, in lower case; allowed only if written like this. */
export const NAMES: ReadonlySet<string> = new Set(split(lists.names.toLowerCase()));

/** Parts of names and words in which `obscenity` finds something. */
export const HARMLESS_PARTS: readonly string[] = split(lists.harmlessParts);
