/** Copies and compares planes. */
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
