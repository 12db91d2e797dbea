/** What benches make of their samples. */

/** @param samples at least one */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param samples at least one @param share 0…1 of them that are no larger */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** Three digits: more would be noise. */
export const rounded = (x: number): number => Number(x.toPrecision(3));

export const millions = (x: number): string => `${(x / 1e6).toFixed(2)} M`;
