/** The gallery's categories, and a text search for the gallery's creatures. */
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
 * Counts the typing errors in a word: letters added, left out, replaced, or swapped with their
 * neighbour. `typed` may be unfinished, so it is compared with every prefix of `word`; the result
 * is the smallest number of errors.
 *
 * https://en.wikipedia.org/wiki/Damerau–Levenshtein_distance (optimal string alignment)
 */
function errorsIn(typed: string, word: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: word.length + 1 }, (_, i) => i);
  for (let i = 1; i <= typed.length; i++) {
    const next = [i];
    for (let j = 1; j <= word.length; j++) {
      const isSame = typed[i - 1] === word[j - 1];
      const isSwapped = typed[i - 1] === word[j - 2] && typed[i - 2] === word[j - 1];
      next[j] = Math.min(
        ...[row[j] + 1, next[j - 1] + 1, row[j - 1] + (isSame ? 0 : 1)],
        ...(isSwapped ? [before[j - 2] + 1] : []),
      );
    }
    before = row;
    row = next;
  }
  return Math.min(...row);
}

/**
 * Rates how well a typed word matches a creature, from 0 (no match) to 1. The rating is 1 if one of
 * the creature's names has a word that begins with the typed word. Typed words of three or more
 * letters also rate 1 if they occur anywhere in the names. Typing errors lower the rating.
 *
 * @param names the creature's names, separated by spaces
 */
function rating(typed: string, names: string): number {
  if (` ${names}`.includes(typed.length > 2 ? typed : ` ${typed}`)) return 1;
  const errors = Math.min(...names.split(' ').map((word) => errorsIn(typed, word)));
  const allowed = typed.length < 4 ? 0 : typed.length < 7 ? 1 : 2;
  return errors <= allowed ? 1 - errors / 10 : 0;
}

/**
 * Searches the gallery for creatures that match all words of a text, by their names in the page's
 * language and in English. If no creature matches all words, returns creatures that match some
 * words, best matches first: "whale shark" finds whale and shark. For each word, only the matches
 * with the fewest typing errors count.
 *
 * @param among gallery indices to choose from; equally good matches are returned in this order
 */
export function search(
  gallery: readonly { readonly name: string }[],
  among: readonly number[],
  typed: string,
): readonly number[] {
  const words = plain(typed).split(/\s+/).filter(Boolean);
  const matches = new Map(among.map((index) => [index, 0]));
  for (const word of words) {
    const ratings = among.map((index) => {
      const { name } = gallery[index];
      return rating(word, plain(`${kindName(name)} ${name.replaceAll(/[_-]+/g, ' ')}`));
    });
    const best = Math.max(...ratings);
    for (const [at, index] of among.entries()) {
      if (best > 0 && ratings[at] === best) matches.set(index, matches.get(index)! + 1);
    }
  }
  const all = among.filter((index) => matches.get(index) === words.length);
  if (all.length > 0) return all;
  // If no creature matches all words, search again without short words such as "of".
  const long = words.filter(({ length }) => length > 3);
  if (long.length > 0 && long.length < words.length) return search(gallery, among, long.join(' '));
  const some = among.filter((index) => matches.get(index)! > 0);
  return some.sort((a, b) => matches.get(b)! - matches.get(a)!);
}
