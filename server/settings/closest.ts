/** Finds what somebody may have meant by a word that is not known. */

/** Single letters to insert, delete or replace until one word is the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}

/** @returns the word that differs least, by at most a third of its letters; undefined: none does */
export function closestOf(text: string, words: readonly string[]): string | undefined {
  const [best] = words
    .map((word) => ({ word, far: distance(text.slice(0, 64), word) }))
    .filter(({ word, far }) => far <= Math.max(1, word.length / 3))
    .sort((a, b) => a.far - b.far);
  return best?.word;
}
