/** The family tree of a room, as its server tells it. */
import type { TimePoint } from './time-points.ts';
import type { Cause, OrganismId, OrganismView } from './vocabulary.ts';

/** An organism of the tree, alive or dead. */
export interface LineageOrganism
  extends Pick<
    OrganismView,
    'id' | 'kind' | 'origin' | 'parents' | 'planter' | 'born' | 'wounds' | 'healed'
  > {
  /** Tick of its death; absent while it lives. */
  readonly died?: number;
  readonly cause?: Cause;
  /** Kinds that it was before, oldest first. */
  readonly was?: readonly string[];
}

/** What has lived in a room during its day, and all known ancestors of that. */
export interface LineageTree {
  /**
   * By id. One that was turned into a child of others may come before its parents; it can even be
   * its own parent or its descendants' child.
   */
  readonly organisms: readonly LineageOrganism[];
  /** Number of others that have died and are no longer remembered. */
  readonly forgotten: number;
  /** Ticks completed. */
  readonly tick: number;
  /** Nominal ticks a second. */
  readonly tickRate: number;
}

/**
 * The generation of each organism: 1 for those whose parents are not known, and one more than its
 * parents for others. Where one was turned into a child of its own descendants, it counts as if
 * they were not known.
 */
export function generationsOf(
  organisms: readonly Pick<LineageOrganism, 'id' | 'parents'>[],
): Map<OrganismId, number> {
  const parentsOf = new Map(organisms.map(({ id, parents }) => [id, parents]));
  const generations = new Map<OrganismId, number>();
  const find = (id: OrganismId): number => {
    const known = generations.get(id);
    const parents = parentsOf.get(id);
    if (known !== undefined || !parents) return known ?? 0;
    // Until it is found, it is 0 for its own descendants.
    generations.set(id, 0);
    const generation = Math.max(0, ...parents.map(find)) + 1;
    generations.set(id, generation);
    return generation;
  };
  for (const { id } of organisms) find(id);
  return generations;
}

/** The tree, and what its page needs to draw it. */
export interface LineagePage extends LineageTree {
  /** Wall clock of `tick`, ms. */
  readonly now: number;
  /**
   * When ticks were, oldest first, the last one now; at most `MOST_TIME_POINTS` and one. Ticks before
   * the first were at `tickRate`, as far as is known.
   */
  readonly times: readonly TimePoint[];
  /** Names of the gallery, and the sheet of its pictures in that order. */
  readonly gallery: readonly string[];
  readonly sheet: { readonly url: string; readonly columns: number };
  /** Whether keepsakes can be planted in the room. */
  readonly canPlant: boolean;
}

/** Where a server tells the tree of a room. */
export const lineagePath = (room: string): string => `/lineage/${room}`;

/** Where a server has the picture of an organism that is of no kind of the gallery. */
export const lineagePicturePath = (room: string, organism: OrganismId | string): string =>
  `/lineage/${room}/${organism}.png`;

/** Where a server has the seed of an organism as a token. */
export const lineageSeedPath = (room: string, organism: OrganismId | string): string =>
  `/lineage/${room}/${organism}/seed`;
