/** Cleans and checks the names that participants choose, because everybody sees them. */
import { englishDataset, englishRecommendedTransformers, RegExpMatcher } from 'obscenity';
import { DEFAULTS } from '../../../shared/defaults.ts';

/** A joiner inside an emoji sequence, as in "woman scientist"; a modifier may precede it. */
const JOINER = String.raw`(?<=\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\uFE0F)?)\u200D(?=\p{Extended_Pictographic})`;
/** A non-joiner between letters, as in Persian words. */
const NON_JOINER = String.raw`(?<=\p{L}\p{M}*)\u200C(?=\p{L})`;
/** All invisible characters; the two meaningful ones are captured so that they can be kept. */
const INVISIBLE = new RegExp(String.raw`(${JOINER}|${NON_JOINER})|[\p{C}\p{Z}]+`, 'gu');

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * Removes invisible characters, except joiners that emoji and some scripts need, collapses spaces,
 * and cuts the name to its greatest length between two grapheme clusters.
 */
export function cleanName(name: string | undefined): string {
  if (!name) return '';
  const plain = name
    .normalize('NFC')
    // More than two marks on a letter spill into the neighbouring lines.
    .replace(/(\p{M}{2})\p{M}+/gu, '$1')
    .replace(INVISIBLE, (_, joiner?: string) => joiner ?? ' ')
    .trim();
  return cut(plain, DEFAULTS.net.maxNameLength).replace(/[ \u200C]+$/, '');
}

/** @param length code points */
function cut(text: string, length: number): string {
  let remaining = length;
  let end = 0;
  for (const { segment, index } of graphemes.segment(text)) {
    remaining -= [...segment].length;
    if (remaining < 0) break;
    end = index + segment.length;
  }
  return text.slice(0, end);
}

/** @returns whether a cleaned name may be shown to everybody */
export type NameCheck = (name: string) => boolean;

/** Removes what can disguise a word: case, accents, spaces, punctuation and repeated letters. */
function normalise(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '')
    .replace(/(.)\1+/gu, '$1');
}

/**
 * Creates a check for offensive names: English words, also with look-alike letters and digits, and
 * the host's own banned words in any language.
 *
 * @param banned the host's banned words
 */
export function createNameCheck(banned: readonly string[]): NameCheck {
  const english = new RegExpMatcher({
    ...englishDataset.build(),
    ...englishRecommendedTransformers,
  });
  const hostWords = banned.map(normalise).filter((word) => word !== '');
  // Participants must not impersonate the gardener or OSC.
  const reserved = [DEFAULTS.attract.name, DEFAULTS.osc.planter].map(normalise);
  return (name) => {
    const normalised = normalise(name);
    if (reserved.includes(normalised)) return false;
    const visible = name.replace(/[\u200C\u200D]/g, '');
    return !english.hasMatch(visible) && !hostWords.some((word) => normalised.includes(word));
  };
}
