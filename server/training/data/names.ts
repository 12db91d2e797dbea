/** Display names of images. */
const SMALL = new Set(['a', 'and', 'at', 'in', 'of', 'on', 'or', 'over', 'the', 'to', 'with']);

/** "SEE-NO-EVIL monkey_face" → "See-No-Evil Monkey Face"; small words inside stay small. */
export function titleCase(text: string): string {
  const words = text
    .replace(/[_\s]+/g, ' ')
    .trim()
    .toLowerCase()
    .split(' ');
  return words
    .map((word, i) =>
      i > 0 && SMALL.has(word) ? word : word.replace(/(?<![\p{L}\p{M}'’])\p{L}/gu, upper),
    )
    .join(' ');
}

/**
 * A display name from a file name: "img/blue_jellyfish-02.png" → "Blue Jellyfish 02". Capitals are
 * kept.
 */
export function nameOfFile(file: string): string {
  const stem = file.replace(/^.*[\\/]/, '').replace(/\.[^.]*$/, '');
  const words = stem
    .normalize('NFC')
    .replace(/[-_\s.]+/g, ' ')
    .trim();
  if (words === '') return stem;
  return words.replace(/(?<![\p{L}\p{M}\p{N}'’])\p{L}/gu, upper);
}

/** Capitalises the first letter. */
export function capitalised(text: string): string {
  return text.replace(/^\p{L}/u, upper);
}

const upper = (letter: string): string => letter.toLocaleUpperCase('en');
