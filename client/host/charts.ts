/** What charts reckon: round scales, and where the most happened. Pure. */
import { msg } from '@lit/localize';

/** The next round number: 1, 2, 3, 4, 5, 6, 8, 10, 20 … */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return [1, 2, 3, 4, 5, 6, 8, 10].map((n) => n * power).find((n) => n >= value) ?? 10 * power;
}

/** Ninths of a picture in words, row by row. */
const NINTHS = [
  [msg('at the upper left'), msg('at the top'), msg('at the upper right')],
  [msg('at the left'), msg('in the middle'), msg('at the right')],
  [msg('at the lower left'), msg('at the bottom'), msg('at the lower right')],
];

export interface Heat {
  readonly columns: number;
  readonly rows: number;
  /** Row by row. */
  readonly counts: readonly number[];
}

/** How much of all lies in each ninth, the most first. */
export function ninths({ columns, rows, counts }: Heat): { where: string; share: number }[] {
  const sums = new Map<string, number>();
  let all = 0;
  for (const [i, count] of counts.entries()) {
    const column = Math.floor(((i % columns) * 3) / columns);
    const row = Math.floor((Math.floor(i / columns) * 3) / rows);
    const where = NINTHS[row]?.[column] ?? '';
    sums.set(where, (sums.get(where) ?? 0) + count);
    all += count;
  }
  return [...sums]
    .map(([where, sum]) => ({ where, share: all === 0 ? 0 : sum / all }))
    .sort((a, b) => b.share - a.share);
}
