/** The family tree of a room, as its server sends it. */
import type { TimePoint } from './time-points.ts';
import type { Cause, OrganismId, OrganismView, Part } from './vocabulary.ts';

/** An organism of the tree, alive or dead. */
export interface LineageOrganism
  extends Pick<
    OrganismView,
    'id' | 'kind' | 'origin' | 'parents' | 'planter' | 'born' | 'wounds' | 'healed'
  > {
  /** Tick of its death; absent while it lives. */
  readonly died?: number;
  readonly cause?: Cause;
  /** Its earlier kinds, oldest first. */
  readonly was?: readonly string[];
  /** The parts of a chimera, its own genome first. */
  readonly parts?: readonly Part[];
}

/** All organisms that have lived in a room during its day, and all their known ancestors. */
export interface LineageTree {
  /**
   * Sorted by id. An organism that was transformed into a child of others may come before its
   * parents. It can even be its own parent, or a child of its descendants.
   */
  readonly organisms: readonly LineageOrganism[];
  /** Number of further organisms that have died and are no longer remembered. */
  readonly forgotten: number;
  /** The room's latest completed tick. */
  readonly tick: number;
  /** Nominal number of ticks per second. */
  readonly tickRate: number;
}

/**
 * Computes the generation of each organism: 1 if its parents are unknown, else one more than the
 * highest generation of its parents. If an organism was transformed into a child of its own
 * descendants, these parents count as unknown.
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
    // There may be cycles, so an organism's generation counts as 0 for its descendants while it is
    // being computed.
    generations.set(id, 0);
    const generation = Math.max(0, ...parents.map(find)) + 1;
    generations.set(id, generation);
    return generation;
  };
  for (const { id } of organisms) find(id);
  return generations;
}

/** The family tree, and the data that its page needs to draw it. */
export interface LineagePage extends LineageTree {
  /** Wall-clock time of `tick`, in ms. */
  readonly now: number;
  /**
   * Wall-clock times of ticks, oldest first; the last is now. Maximum length: `MOST_TIME_POINTS` +
   * 1. Ticks before the first are assumed to have run at `tickRate`.
   */
  readonly times: readonly TimePoint[];
  /** Names of the gallery's creatures, and the sheet of their pictures in the same order. */
  readonly gallery: readonly string[];
  readonly sheet: { readonly url: string; readonly columns: number };
  /** Whether keepsakes can be planted in the room. */
  readonly canPlant: boolean;
}

/** Path at which a server sends a room's family tree. */
export const lineagePath = (room: string): string => `/lineage/${room}`;

/** Path at which a server sends the picture of a chimera or of a nameless organism. */
export const lineagePicturePath = (room: string, organism: OrganismId | string): string =>
  `/lineage/${room}/${organism}.png`;

/** Path at which a server sends an organism's seed as a token. */
export const lineageSeedPath = (room: string, organism: OrganismId | string): string =>
  `/lineage/${room}/${organism}/seed`;
