/** Names that participants give themselves: shown to everybody, so cleaned first. */
import { englishDataset, englishRecommendedTransformers, RegExpMatcher } from 'obscenity';
import { DEFAULTS } from '../../shared/defaults.ts';

/** Letters, digits, marks, punctuation and single spaces; no control, format or private characters; cut to length. */
export function cleanName(name: string | undefined): string {
  if (!name) return '';
  const plain = name
    .normalize('NFC')
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    // More than two marks on a letter spill over the lines above and below.
    .replace(/(\p{M}{2})\p{M}+/gu, '$1')
    .trim();
  return [...plain].slice(0, DEFAULTS.net.maxNameLength).join('').trim();
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
    return !english.hasMatch(name) && !own.some((word) => plain.includes(word));
  };
}
