/** Copies and compares planes and lists of numbers. */
import type { Planes } from '../../shared/codec/chunks.ts';

/** A deep copy. */
export function copyPlanes(planes: Planes): Planes {
  return { ...planes, rgba: planes.rgba.slice(), owner: planes.owner.slice() };
}

/** Whether size, colours and owners are all equal. */
export function equalPlanes(a: Planes, b: Planes): boolean {
  return (
    a.width === b.width &&
    a.height === b.height &&
    a.rgba.every((value, i) => value === b.rgba[i]) &&
    a.owner.every((value, i) => value === b.owner[i])
  );
}

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
