/**
 * Finds offensive words in names. A name is checked against the words of all languages. The words
 * come from two libraries and from word-lists.json. Start reading at `createWordCheck`.
 */

import naughty from 'naughty-words';
import { englishDataset, englishRecommendedTransformers, RegExpMatcher } from 'obscenity';
import { type Reading, readingsOf, singled, unaccented, written } from './comparable-letters.ts';
import lists from './word-lists.json' with { type: 'json' };

/**
 * The word lists of one language in word-lists.json. Words are separated by a comma and a space.
 */
interface WordList {
  /** Minimum length of the words taken from the `naughty-words` package. */
  readonly shortest?: number;
  /**
   * Words of the `naughty-words` package that are ignored, because they are also names, or are
   * harmless in some language.
   */
  readonly everyday?: string;
  /** Offensive words that the `naughty-words` package lacks. */
  readonly more?: string;
  /** Parts of words. Any word that contains one of these parts is offensive. */
  readonly within?: string;
  /** Roles that no name may imitate, such as host, gardener, staff and server. */
  readonly roles?: string;
}

export const split = (words: string | undefined): string[] => words?.split(', ') ?? [];

export const WORD_LISTS: Readonly<Record<string, WordList>> = lists.languages;

/**
 * Names and harmless words that would be mistaken for offensive words, in lower case. A visitor may
 * use capital letters, but no other spelling is allowed.
 */
const NAMES: ReadonlySet<string> = new Set(split(lists.names.toLowerCase()));

/** Parts of harmless names and words that `obscenity` would otherwise report as offensive. */
const HARMLESS_PARTS: readonly string[] = split(lists.harmlessParts);

/**
 * Offensive words of at least this length are rejected even inside longer words, as "hurensohn" in
 * "Hurensohn99".
 */
const LONG = 7;
/**
 * Offensive words in Kana or Han of at least this length are rejected even inside longer words. The
 * length is smaller than `LONG`, because these scripts have no spaces between words.
 */
const LONG_WITHOUT_SPACES = 2;

/** Hate symbols, hate numbers, and gestures. */
const SIGNS = [
  /[卐卍࿕-࿘ꖦ\u{1F595}]|[ᛊᛋϟ][^\p{L}\p{N}]*[ᛊᛋϟ]/u,
  /(?<!\p{N})14\P{N}{0,3}88(?!\p{N})|(heil|sieg|adolf|\bss|\bhh)\P{N}{0,3}88(?!\p{N})/iu,
  /[8Bc3][=~═]{2,}[D)>3]|[8B][-–—_]{2,}D/iu,
];

/** Umlauts and similar letters, with their usual spellings in plain letters. */
const SPELLINGS: Readonly<Record<string, string>> = {
  ...{ ä: 'ae', ö: 'oe', ü: 'ue', ß: 'ss', æ: 'ae', ø: 'oe', å: 'aa' },
};

/**
 * Returns all spellings of a word. The spelling without accents is included only for long words,
 * because a short word without its accents is often another word.
 */
function spellingsOf(word: string): string[] {
  const exact = written(word);
  const plain = unaccented(word);
  const respelled = unaccented(word.toLowerCase().replace(/[äöüßæøå]/g, (one) => SPELLINGS[one]));
  return [exact, respelled, ...(plain.length >= LONG ? [plain] : [])];
}

/** Replaces i with l, because a capital I looks like l. */
const alike = (word: string): string => word.replaceAll('i', 'l');

const eitherWay = (text: string): string[] => [
  ...new Set([text, alike(text), text.replaceAll('l', 'i')]),
];

/**
 * Compiles the word lists.
 *
 * @returns `all`: all offensive words. `within`: words and parts of words that are offensive even
 *   inside a longer word
 */
function compile(): { readonly all: ReadonlySet<string>; readonly within: readonly string[] } {
  const all = new Set<string>();
  const everyday = new Set(
    Object.values(WORD_LISTS).flatMap((list) => split(list.everyday).map(written)),
  );
  for (const [language, { shortest = 2, more }] of Object.entries(WORD_LISTS)) {
    const listed = naughty[language].filter(
      (word) => written(word).length >= shortest && !everyday.has(written(word)),
    );
    for (const spelling of [...listed, ...split(more)].flatMap(spellingsOf)) {
      if (spelling.length > 1) all.add(spelling);
    }
  }
  const isLong = (word: string): boolean =>
    word.length >= (/[\u3040-\u9FFF]/.test(word) ? LONG_WITHOUT_SPACES : LONG);
  const stems = Object.values(WORD_LISTS).flatMap(({ within }) => split(within).map(unaccented));
  return { all, within: [...[...all].filter(isLong), ...stems].map(alike) };
}

/**
 * Creates a check for offensive words. Words that the host has banned are rejected even inside
 * longer words.
 *
 * @param banned words that the host has banned
 * @returns a function that returns whether a name contains an offensive word
 */
export function createWordCheck(banned: readonly string[]): (name: string) => boolean {
  const dataset = englishDataset.build();
  const english = new RegExpMatcher({
    ...dataset,
    ...englishRecommendedTransformers,
    whitelistedTerms: [...(dataset.whitelistedTerms ?? []), ...HARMLESS_PARTS].flatMap(eitherWay),
  });
  const { all, within } = compile();
  const whole = new Set([...all].map(alike));
  const stretched = new Set([...all].map((word) => alike(singled(word))));
  const hostWords = banned.map((word) => alike(singled(unaccented(word)))).filter((word) => word);
  const has = (word: string): boolean => {
    const once = alike(singled(word));
    return (
      whole.has(alike(word)) || whole.has(once) || (/(.)\1\1/u.test(word) && stretched.has(once))
    );
  };
  return (name) => {
    if (SIGNS.some((sign) => sign.test(name.normalize('NFKC')))) return true;
    const isBanned = ({ joined }: Reading): boolean =>
      hostWords.some((word) => alike(singled(joined)).includes(word));
    if (hostWords.length > 0 && readingsOf(name).some(isBanned)) return true;
    const rest = name.replace(/[\p{L}\p{M}]+/gu, (word) =>
      NAMES.has(word.toLowerCase()) ? ' ' : word,
    );
    return readingsOf(rest).some(
      ({ words, joined }) =>
        [...words, joined].some(has) ||
        within.some((word) => alike(joined).includes(word)) ||
        eitherWay(words.join(' ')).some((text) => english.hasMatch(text)),
    );
  };
}
