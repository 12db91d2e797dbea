/** Offensive words in the languages of the pages. */

import ar from 'naughty-words/ar.json' with { type: 'json' };
import da from 'naughty-words/da.json' with { type: 'json' };
import de from 'naughty-words/de.json' with { type: 'json' };
import en from 'naughty-words/en.json' with { type: 'json' };
import es from 'naughty-words/es.json' with { type: 'json' };
import ja from 'naughty-words/ja.json' with { type: 'json' };
import { englishDataset, englishRecommendedTransformers, RegExpMatcher } from 'obscenity';
import type { LanguageCode } from '../../../shared/languages.ts';
import { readingsOf, singled, unaccented, written } from './comparable-letters.ts';
import own from './word-lists.json' with { type: 'json' };

/** From this many letters on, a word is found within others: "hurensohn" in "Hurensohn99". */
const LONG = 7;
/** The same for words in Kana and Kanji, which have no spaces between them. */
const LONG_JAPANESE = 3;

interface WordList {
  readonly words: readonly string[];
  /** Words of the list that are names, or that everybody says; separated by commas. */
  readonly everyday: string;
  /** Words that the list lacks. */
  readonly more: string;
}

/** By language. All lists hold on every page; a new language may add its own. */
const LISTS: Readonly<Partial<Record<LanguageCode, WordList>>> = {
  // `obscenity` knows the short ones, and what they are a part of.
  en: { words: en.filter((word) => written(word).length >= LONG), ...own.en },
  da: { words: da, ...own.da },
  de: { words: de, ...own.de },
  es: { words: es, ...own.es },
  ja: { words: ja.filter((word) => written(word).length >= LONG_JAPANESE), ...own.ja },
  ar: { words: ar, ...own.ar },
};

/** Names and beginnings of names in which `obscenity` finds something. */
const ENGLISH_IN_NAMES =
  'annal, assel, assm, cockp, cummi, cummerata, dicke, dicki, liebich, negrón, penisto, pissar, shiita'.split(
    ', ',
  );

/** Signs of hate, and one gesture. */
const SIGNS = /[卐卍\u{1F595}]/u;

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

/** @returns the words, and those that are found within others */
function compile(): { readonly all: ReadonlySet<string>; readonly long: readonly string[] } {
  const all = new Set<string>();
  for (const { words, everyday, more } of Object.values(LISTS)) {
    const spared = new Set(everyday.split(',').map(written));
    for (const word of [...words.filter((one) => !spared.has(written(one))), ...more.split(',')]) {
      for (const spelling of spellingsOf(word)) if (spelling.length > 1) all.add(spelling);
    }
  }
  const isLong = (word: string): boolean =>
    word.length >= (/[\u3040-\u9FFF]/.test(word) ? LONG_JAPANESE - 1 : LONG);
  return { all, long: [...all].filter(isLong) };
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
    whitelistedTerms: [...(dataset.whitelistedTerms ?? []), ...ENGLISH_IN_NAMES],
  });
  const { all, long } = compile();
  const stretched = new Set([...all].map(singled));
  const hostWords = banned.map((word) => singled(unaccented(word))).filter((word) => word !== '');
  const has = (word: string): boolean =>
    all.has(word) ||
    all.has(singled(word)) ||
    (/(.)\1\1/u.test(word) && stretched.has(singled(word)));
  return (name) => {
    if (SIGNS.test(name)) return true;
    return readingsOf(name).some(
      ({ words, joined }) =>
        [...words, joined].some(has) ||
        long.some((word) => joined.includes(word)) ||
        hostWords.some((word) => singled(joined).includes(word)) ||
        english.hasMatch(words.join(' ')),
    );
  };
}
