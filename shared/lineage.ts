/** The family tree of a room, in the form that the server sends. */
import type { TimePoint } from './time-points.ts';
import type { Cause, OrganismId, OrganismView, Part } from './vocabulary.ts';

/** An organism of the family tree, alive or dead. */
export interface LineageOrganism
  extends Pick<
    OrganismView,
    'id' | 'kind' | 'origin' | 'parents' | 'planter' | 'born' | 'wounds' | 'healed'
  > {
  /** Tick at which the organism died. Absent while the organism lives. */
  readonly died?: number;
  readonly cause?: Cause;
  /** The organism's earlier kinds, oldest first. */
  readonly was?: readonly string[];
  /** The parts of a chimera (an organism with grafts), its own genome first. */
  readonly parts?: readonly Part[];
}

/** All organisms that have lived during a room's day, and all their known ancestors. */
export interface LineageTree {
  /**
   * The organisms, sorted by id. Usually, parents therefore come before their children. This may
   * not hold if an organism was transformed into the child of others: the organism may come before
   * its parents, be one of its own parents, or be a child of its descendants.
   */
  readonly organisms: readonly LineageOrganism[];
  /** Number of dead organisms that are missing here because the room no longer remembers them. */
  readonly forgotten: number;
  /** The room's latest completed tick. */
  readonly tick: number;
  /** Nominal number of ticks per second. */
  readonly tickRate: number;
}

/**
 * Computes the generation of each organism: 1 if its parents are unknown, otherwise one more than
 * the highest generation of its parents. After a transformation, a parent can be a descendant of
 * the organism; such a parent counts as unknown.
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
    // Parents can form a cycle. While an organism's generation is being computed, the organism
    // counts as generation 0 for its descendants, so that the recursion ends.
    generations.set(id, 0);
    const generation = Math.max(0, ...parents.map(find)) + 1;
    generations.set(id, generation);
    return generation;
  };
  for (const { id } of organisms) find(id);
  return generations;
}

/** The family tree, with the data that the page needs to draw it. */
export interface LineagePage extends LineageTree {
  /** Wall-clock time of `tick`, in ms. */
  readonly now: number;
  /**
   * Wall-clock times of some ticks, oldest first; the last one is the current time. Times between
   * them are interpolated. Ticks before the first one are assumed to have run at `tickRate`.
   * Maximum length: `MOST_TIME_POINTS` plus one.
   */
  readonly times: readonly TimePoint[];
  /** Names of the gallery's creatures. The picture `sheet` shows them in the same order. */
  readonly gallery: readonly string[];
  readonly sheet: { readonly url: string; readonly columns: number };
  /** Whether visitors can plant keepsakes in the room. */
  readonly canPlant: boolean;
}

/** Path at which a server sends a room's family tree. */
export const lineagePath = (room: string): string => `/lineage/${room}`;

/**
 * Path of an organism's picture on the server. Needed for chimeras and nameless organisms, because
 * the gallery has no pictures of them.
 */
export const lineagePicturePath = (room: string, organism: OrganismId | string): string =>
  `/lineage/${room}/${organism}.png`;

/** Path at which a server sends an organism's seed as a token. */
export const lineageSeedPath = (room: string, organism: OrganismId | string): string =>
  `/lineage/${room}/${organism}/seed`;
