/** The gallery as people search it: its categories, and names that match a text. */
import { msg } from '@lit/localize';
import { kindName } from './text.ts';

/** Titles of the gallery's categories, in display order. */
export const KIND_TITLES: Readonly<Record<string, () => string>> = {
  animal: () => msg('Animals'),
  plant: () => msg('Plants'),
  food: () => msg('Food'),
  face: () => msg('Faces'),
  thing: () => msg('Things'),
};

/** Converts a text to lower case without accents. */
const plain = (text: string): string =>
  text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLocaleLowerCase();

/**
 * Whether a gallery entry matches a search text. Every typed word must begin a word of the entry's
 * name, in the page's language or in English. A typed word of three or more letters may also match
 * anywhere in the name.
 */
export function isMeant(name: string, typed: string): boolean {
  const words = plain(typed).split(/\s+/).filter(Boolean);
  const names = plain(`${kindName(name)} ${name.replaceAll(/[_-]+/g, ' ')}`);
  return words.every(
    (word) =>
      names.startsWith(word) ||
      names.includes(` ${word}`) ||
      (word.length > 2 && names.includes(word)),
  );
}
