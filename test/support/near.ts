/** Compares lists of numbers. */

/** Expects numbers within a tolerance, which is relative for numbers above one. */
export function expectNear(
  found: ArrayLike<number>,
  wanted: ArrayLike<number>,
  tolerance: number,
): void {
  expect(found).toHaveLength(wanted.length);
  const off = Array.from(wanted, (x, i) => Math.abs(found[i] - x) / Math.max(1, Math.abs(x)));
  // Without the negation, NaN would pass.
  expect(off.filter((error) => !(error <= tolerance))).toEqual([]);
}
