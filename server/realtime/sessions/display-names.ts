/** Names that participants give themselves: shown to everybody, so cleaned first. */
import { englishDataset, englishRecommendedTransformers, RegExpMatcher } from 'obscenity';
import { DEFAULTS } from '../../../shared/defaults.ts';

/** Joins pictographs to one, as a woman and a microscope to a scientist; skin and style may stand between. */
const JOINER = String.raw`(?<=\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\uFE0F)?)\u200D(?=\p{Extended_Pictographic})`;
/** Keeps letters apart that would be written joined, as Persian does within a word. */
const NON_JOINER = String.raw`(?<=\p{L}\p{M}*)\u200C(?=\p{L})`;
/** The two that mean something where they stand, and all that is not to be seen. */
const UNSEEN = new RegExp(String.raw`(${JOINER}|${NON_JOINER})|[\p{C}\p{Z}]+`, 'gu');

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * Letters, digits, marks, punctuation and single spaces; of control, format and private characters only those without which a flag,
 * a scientist or a Persian word would be another; cut to length, between what one sees as one character and the next.
 */
export function cleanName(name: string | undefined): string {
  if (!name) return '';
  const plain = name
    .normalize('NFC')
    // More than two marks on a letter spill over the lines above and below.
    .replace(/(\p{M}{2})\p{M}+/gu, '$1')
    .replace(UNSEEN, (_, kept?: string) => kept ?? ' ')
    .trim();
  return cut(plain, DEFAULTS.net.maxNameLength).replace(/[ \u200C]+$/, '');
}

/** @param length code points */
function cut(text: string, length: number): string {
  let left = length;
  let end = 0;
  for (const { segment, index } of graphemes.segment(text)) {
    left -= [...segment].length;
    if (left < 0) break;
    end = index + segment.length;
  }
  return text.slice(0, end);
}

/** @returns whether a cleaned name may be shown to everybody */
export type NameCheck = (name: string) => boolean;

/** A text without what a word is easily disguised by: case, accents, spaces, signs, repeated letters. */
function bare(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '')
    .replace(/(.)\1+/gu, '$1');
}

/**
 * Knows words that children need not read: English ones, also in letters and digits that look alike, and the host's own, in
 * any language.
 *
 * @param banned the host's words
 */
export function createNameCheck(banned: readonly string[]): NameCheck {
  const english = new RegExpMatcher({
    ...englishDataset.build(),
    ...englishRecommendedTransformers,
  });
  const own = banned.map(bare).filter((word) => word !== '');
  // Nobody shall pass for somebody of the house.
  const reserved = [DEFAULTS.attract.name, DEFAULTS.osc.planter].map(bare);
  return (name) => {
    const plain = bare(name);
    if (reserved.includes(plain)) return false;
    const seen = name.replace(/[\u200C\u200D]/g, '');
    return !english.hasMatch(seen) && !own.some((word) => plain.includes(word));
  };
}
