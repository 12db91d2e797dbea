/** Cleans and checks the names that participants choose, because names are shown to everybody. */
import { GARDENER_NAME, MAX_NAME_LENGTH, OSC_NAME } from '../../../shared/names.ts';
import { skeletonsOf } from './comparable-letters.ts';
import { createWordCheck, split, WORD_LISTS } from './offensive-words.ts';

/** Words that are ignored when a name is compared with a role, such as "the" in "the host". */
const AROUND = new Set([
  ...['the', 'your', 'our', 'mr', 'mrs', 'ms', 'real', 'official'],
  ...['den', 'det', 'din', 'vores', 'der', 'die', 'das', 'dein', 'unser', 'herr', 'frau'],
  ...['el', 'la', 'los', 'las', 'tu', 'señor', 'señora'],
]);

/** Honorifics, which follow a Japanese name without a space. */
const HONORIFIC = /(さん|サン|様|さま|くん|君|ちゃん|殿)$/u;

/**
 * Returns the skeletons (look-alike forms) of a name without the words in `AROUND`, and without an
 * honorific or a number at the end.
 */
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

const roles = Object.values(WORD_LISTS).flatMap((list) => split(list.roles));
const RESERVED: ReadonlySet<string> = new Set(
  [...roles, GARDENER_NAME, OSC_NAME, 'Vivarium'].flatMap((name) => [
    ...coresOf(name),
    ...skeletonsOf(name),
  ]),
);

/**
 * Returns whether a name imitates the host, the staff, the gardener or the server, in any supported
 * language.
 */
function isReservedName(name: string): boolean {
  return [...skeletonsOf(name), ...coresOf(name)].some((skeleton) => RESERVED.has(skeleton));
}

/**
 * Matches a zero-width joiner within an emoji such as "woman scientist". An emoji modifier may
 * precede the joiner.
 */
const JOINER = String.raw`(?<=\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\uFE0F)?)\u200D(?=\p{Extended_Pictographic})`;
/** Matches a zero-width non-joiner between letters, as in Persian words. */
const NON_JOINER = String.raw`(?<=\p{L}\p{M}*)\u200C(?=\p{L})`;
/** Matches all invisible characters. The capturing group contains joiners that must be kept. */
const INVISIBLE = new RegExp(String.raw`(${JOINER}|${NON_JOINER})|[\p{C}\p{Z}]+`, 'gu');

/**
 * Matches blank characters that Unicode does not class as spaces, such as the Hangul filler. If the
 * match is a variation selector after an emoji or digit, the capturing group contains it: keep it.
 */
const BLANK =
  /(?<=[\p{Emoji}\p{Emoji_Modifier}])([\uFE0E\uFE0F])|[\u2800\u{1D159}]|(?![\u200C\u200D])\p{Default_Ignorable_Code_Point}/gu;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * Replaces each run of spaces and invisible characters with one space, but keeps joiners that emoji
 * and some scripts need. Cuts the name to the maximum length, between two grapheme clusters.
 */
export function cleanName(name: string | undefined): string {
  if (!name) return '';
  const plain = name
    .normalize('NFC')
    .replace(BLANK, (_, selector?: string) => selector ?? ' ')
    // Keep at most two combining marks on a letter: more would overlap the neighbouring lines.
    .replace(/(\p{M}{2})\p{M}+/gu, '$1')
    .replace(INVISIBLE, (_, joiner?: string) => joiner ?? ' ')
    .trim();
  const shown = cut(plain, MAX_NAME_LENGTH).replace(/[ \u200C]+$/, '');
  // A name of only combining marks counts as empty: without letters, the marks are invisible or
  // overlap the neighbouring text.
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(shown) ? shown : '';
}

/** Cuts a text between two grapheme clusters. @param length maximum number of code points */
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

const TOP_LEVEL =
  'com|net|org|info|biz|edu|gov|app|dev|io|gg|me|tv|co|xyz|online|site|shop|club|link|ly|to|eu|uk|us|de|dk|es|jp|fr|it|nl|se|pl|ru|cn|kr|at|ch|be|ae|sa|eg|ma|tr|br|mx|in';
const ADDRESS = new RegExp(
  String.raw`https?:|www\.|[\p{L}\p{N}]@[\p{L}\p{N}-]+\.|\.(${TOP_LEVEL})/|[\p{L}\p{N}-]{2}(\.|\s?[([]?\bdot\b[)\]]?\s?)(${TOP_LEVEL})(?![\p{L}\p{N}.])`,
  'iu',
);
const PHONE_NUMBER = /\p{Nd}([\s()./+-]*\p{Nd}){6}/u;
const isContact = (name: string): boolean => ADDRESS.test(name) || PHONE_NUMBER.test(name);

/**
 * Checks a cleaned name. Returns why the name must be hidden from others; undefined if the name is
 * allowed.
 */
export type NameCheck = (name: string) => 'bad-name' | 'reserved-name' | undefined;

/**
 * Creates a check that rejects offensive names; names that imitate the host, the staff, the
 * gardener or the server; and names that contain a web address, a mail address or a phone number.
 *
 * @param banned words that the host has banned
 */
export function createNameCheck(banned: readonly string[]): NameCheck {
  const isOffensive = createWordCheck(banned);
  return (name) => {
    if (isReservedName(name)) return 'reserved-name';
    return isOffensive(name) || isContact(name.normalize('NFKC')) ? 'bad-name' : undefined;
  };
}
