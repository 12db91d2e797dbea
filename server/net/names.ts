/** Names that participants give themselves: shown to everybody, so cleaned first. */
import {
  DataSet,
  englishDataset,
  englishRecommendedTransformers,
  parseRawPattern,
  RegExpMatcher,
} from 'obscenity';
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

/**
 * Knows words that children need not read, also in disguise (l33t, look-alikes, repeated letters): those of a list of English
 * ones, and the host's own.
 *
 * @param banned further words, of any language
 */
export function createNameCheck(banned: readonly string[]): NameCheck {
  const words = new DataSet<{ originalWord: string }>().addAll(englishDataset);
  for (const word of banned) {
    // Brackets, bars and question marks mean something in patterns; a host's word is meant as it stands.
    const literal = word.toLowerCase().replace(/[\\[\]?|]/g, '\\$&');
    words.addPhrase((phrase) => phrase.addPattern(parseRawPattern(literal)));
  }
  const matcher = new RegExpMatcher({ ...words.build(), ...englishRecommendedTransformers });
  return (name) => !matcher.hasMatch(name);
}

/** Hues far from each other, however many come: steps of the golden angle. */
export function hueOf(participant: number): number {
  return Math.round((participant * 137.508 + 90) % 360);
}
