/**
 * Finds offensive words. Those of all languages count on every page. Our own lists, beside those of
 * the libraries, are in word-lists.json. Start at `createWordCheck`.
 */

import naughty from 'naughty-words';
import { englishDataset, englishRecommendedTransformers, RegExpMatcher } from 'obscenity';
import { type Reading, readingsOf, singled, unaccented, written } from './comparable-letters.ts';
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
  /** Names of the host, the gardener and the server. */
  readonly roles?: string;
}

export const split = (words: string | undefined): string[] => words?.split(', ') ?? [];

export const WORD_LISTS: Readonly<Record<string, WordList>> = lists.languages;

/** Names and words that resemble offensive ones, in lower case; allowed only if written like this. */
const NAMES: ReadonlySet<string> = new Set(split(lists.names.toLowerCase()));

/** Parts of names and words in which `obscenity` finds something. */
const HARMLESS_PARTS: readonly string[] = split(lists.harmlessParts);

/** From this many letters on, a word is found within others: "hurensohn" in "Hurensohn99". */
const LONG = 7;
/** The same for words in Kana and Han characters, which have no spaces between them. */
const LONG_WITHOUT_SPACES = 2;

/** Signs and numbers of hate, and gestures. */
const SIGNS = [
  /[卐卍࿕-࿘ꖦ\u{1F595}]|[ᛊᛋϟ][^\p{L}\p{N}]*[ᛊᛋϟ]/u,
  /(?<!\p{N})14\P{N}{0,3}88(?!\p{N})|(heil|sieg|adolf|\bss|\bhh)\P{N}{0,3}88(?!\p{N})/iu,
  /[8Bc3][=~═]{2,}[D)>3]|[8B][-–—_]{2,}D/iu,
];

/** Umlauts and the like as they are written without them. */
const SPELLINGS: Readonly<Record<string, string>> = {
  ...{ ä: 'ae', ö: 'oe', ü: 'ue', ß: 'ss', æ: 'ae', ø: 'oe', å: 'aa' },
};

/** All ways to write a word; a short one without its accents is often another word. */
function spellingsOf(word: string): string[] {
  const exact = written(word);
  const plain = unaccented(word);
  const respelled = unaccented(word.toLowerCase().replace(/[äöüßæøå]/g, (one) => SPELLINGS[one]));
  return [exact, respelled, ...(plain.length >= LONG ? [plain] : [])];
}

/** Writes i as l, because they look alike. */
const alike = (word: string): string => word.replaceAll('i', 'l');

const eitherWay = (text: string): string[] => [
  ...new Set([text, alike(text), text.replaceAll('l', 'i')]),
];

/** @returns the words, and those that are found within others */
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
 * Creates a check for offensive words: those of the lists, and the host's own, which are found
 * within other words whatever their length.
 *
 * @param banned the host's banned words
 * @returns whether a name has one
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
