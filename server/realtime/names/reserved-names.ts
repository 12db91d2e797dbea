/** Names by which visitors would pass for the gardener, the host or the server. */
import { DEFAULTS } from '../../../shared/defaults.ts';
import { skeletonsOf } from './comparable-letters.ts';
import { split, WORD_LISTS } from './word-lists.ts';

/** What may stand before or after a role without changing who is meant. */
const AROUND = new Set([
  ...['the', 'your', 'our', 'mr', 'mrs', 'ms', 'real', 'official'],
  ...['den', 'det', 'din', 'vores', 'der', 'die', 'das', 'dein', 'unser', 'herr', 'frau'],
  ...['el', 'la', 'los', 'las', 'tu', 'señor', 'señora'],
]);

/** Honorifics, which follow a Japanese name without a space. */
const HONORIFIC = /(さん|サン|様|さま|くん|君|ちゃん|殿)$/u;

/** A name without articles, honorifics and a number at its end, as skeletons. */
function coresOf(name: string): string[] {
  const words = name
    .normalize('NFC')
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter((word) => !AROUND.has(word.toLowerCase()))
    .join(' ')
    .replace(/(?<=\P{N})[\p{N} ]+$/u, '')
    .replace(HONORIFIC, '');
  return skeletonsOf(words);
}

const { name: gardener } = DEFAULTS.attract;
const roles = Object.values(WORD_LISTS).flatMap((list) => split(list.roles));
const RESERVED: ReadonlySet<string> = new Set(
  [...roles, gardener, DEFAULTS.osc.planter, 'Vivarium'].flatMap((name) => [
    ...coresOf(name),
    ...skeletonsOf(name),
  ]),
);

/** Whether a name imitates the gardener or the host in one of the languages of `word-lists.ts`. */
export function isReservedName(name: string): boolean {
  return [...skeletonsOf(name), ...coresOf(name)].some((skeleton) => RESERVED.has(skeleton));
}
