/** Finds the living relatives of an organism. Pure. */
import type { OrganismId, OrganismView } from '../../shared/vocabulary.ts';

export interface Kin {
  /** The two parents of a cross, if alive. */
  readonly parents: readonly (OrganismView | undefined)[];
  /** Oldest first, as in the lists below. */
  readonly children: readonly OrganismView[];
  /** Other organisms with the same two parents. */
  readonly siblings: readonly OrganismView[];
  /** Number of all descendants, children included. */
  readonly descendants: number;
}

/**
 * Finds the relatives of an organism.
 *
 * @param organisms the living ones, oldest first
 */
export function kinOf(
  organism: OrganismView,
  organisms: ReadonlyMap<OrganismId, OrganismView>,
): Kin {
  const { id, parents } = organism;
  const all = [...organisms.values()];
  const of = [...parents].sort().join();
  // One that has turned into a child may be older than its parents, so one pass is not enough.
  const line = new Set([id]);
  for (let size = 0; size < line.size; ) {
    size = line.size;
    for (const other of all) {
      if (other.parents.some((parent) => line.has(parent))) line.add(other.id);
    }
  }
  return {
    parents: parents.map((parent) => organisms.get(parent)),
    children: all.filter((other) => other.id !== id && other.parents.includes(id)),
    siblings: all.filter((other) => {
      return of !== '' && other.id !== id && [...other.parents].sort().join() === of;
    }),
    descendants: line.size - 1,
  };
}
