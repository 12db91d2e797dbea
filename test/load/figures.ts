/** Statistics of the samples of load tests and benchmarks. */

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** @param share 0…1 of the samples that are no larger @returns nearest rank; NaN of nothing */
export function quantile(samples: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(samples).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** @param samples at least one */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param samples at least one */
export const mean = (samples: readonly number[]): number =>
  samples.reduce((sum, sample) => sum + sample, 0) / samples.length;

/**
 * No more samples than are worth sending to another process, ascending: each quantile is as near as
 * can be, the largest is kept. (Millions of numbers would hold both up for minutes.)
 */
export function thinned(samples: ArrayLike<number>, most = 100_000): Float64Array {
  const sorted = Float64Array.from(samples).sort();
  if (sorted.length <= most) return sorted;
  const rank = (i: number): number => Math.ceil(((i + 1) * sorted.length) / most) - 1;
  return Float64Array.from({ length: most }, (_, i) => sorted[rank(i)]);
}

/** @returns null: there are no samples */
export function spread(samples: ArrayLike<number>): Spread | null {
  if (samples.length === 0) return null;
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => rounded(quantile(samples, share)));
  return { p50, p99, max };
}

/** The same where there may be no samples: zeros. */
export const spreadOf = (samples: ArrayLike<number>): Spread =>
  spread(samples) ?? { p50: 0, p99: 0, max: 0 };

/** Four digits. */
export const rounded = (x: number): number => Number(x.toPrecision(4));

/** Adds counts by name. */
export function addCounts(
  to: Record<string, number>,
  counts: Readonly<Record<string, number>>,
): void {
  for (const [name, count] of Object.entries(counts)) to[name] = (to[name] ?? 0) + count;
}
