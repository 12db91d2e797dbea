/** Who of a room's organisms is related to whom, as far as they live. Pure. */
import type { OrganismId, OrganismView } from '../../shared/vocabulary.ts';

export interface Kin {
  /** The two it was crossed from, where it was: each, if it lives. */
  readonly parents: readonly (OrganismView | undefined)[];
  /** Oldest first, here and below. */
  readonly children: readonly OrganismView[];
  /** Others of the same two parents. */
  readonly siblings: readonly OrganismView[];
  /** How many come from it in all, children included. */
  readonly descendants: number;
}

/** @param organisms the living, oldest first */
export function kinOf(
  organism: OrganismView,
  organisms: ReadonlyMap<OrganismId, OrganismView>,
): Kin {
  const { id, parents } = organism;
  const all = [...organisms.values()];
  const of = [...parents].sort().join();
  // Parents are older than their children: one pass in order of age finds all that come from it.
  const line = new Set([id]);
  for (const other of all) {
    if (other.parents.some((parent) => line.has(parent))) line.add(other.id);
  }
  return {
    parents: parents.map((parent) => organisms.get(parent)),
    children: all.filter((other) => other.parents.includes(id)),
    siblings: all.filter((other) => {
      return of !== '' && other.id !== id && [...other.parents].sort().join() === of;
    }),
    descendants: line.size - 1,
  };
}
