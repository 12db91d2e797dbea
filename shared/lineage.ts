/** Types and paths for the family tree of a room. */
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
   * The organisms, sorted by id. A transformed organism gets new parents, which may be younger. So
   * parents may come after their children, and an organism may even be its own ancestor.
   */
  readonly organisms: readonly LineageOrganism[];
  /** Number of dead organisms missing in `organisms` because the room no longer remembers them. */
  readonly forgotten: number;
  /** The room's latest completed tick. */
  readonly tick: number;
  /** Nominal number of ticks per second. */
  readonly tickRate: number;
}

/**
 * Computes the generation of each organism: 1 if its parents are unknown, otherwise one more than
 * the highest generation of its parents. If a parent is also a descendant of the organism, the
 * parent counts as unknown.
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
    // An organism can be its own ancestor. In this case, the temporary generation 0 ends the
    // recursion.
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
   * Wall-clock times of some ticks, oldest first. The last entry is the latest completed tick. The
   * times of ticks between two entries are interpolated. Ticks before the first entry are assumed
   * to have run at `tickRate`. Maximum length: `MOST_TIME_POINTS` plus one.
   */
  readonly times: readonly TimePoint[];
  /** Names of the gallery's creatures, in the order of their pictures on `sheet`. */
  readonly gallery: readonly string[];
  readonly sheet: { readonly url: string; readonly columns: number };
  /** Whether visitors can plant keepsakes in the room. */
  readonly canPlant: boolean;
}

/** Path at which a server sends a room's family tree. */
export const lineagePath = (room: string): string => `/lineage/${room}`;

/**
 * Path at which a server sends an organism's picture. Pages use this path only for chimeras and for
 * organisms that are not gallery creatures.
 */
export const lineagePicturePath = (room: string, organism: OrganismId | string): string =>
  `/lineage/${room}/${organism}.png`;

/** Path at which a server sends an organism's seed as a token. */
export const lineageSeedPath = (room: string, organism: OrganismId | string): string =>
  `/lineage/${room}/${organism}/seed`;
