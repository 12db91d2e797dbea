/** The dead organisms that a room remembers for its family tree (rule GEN-1). */
import type { Cause, OrganismId } from '../../../shared/vocabulary.ts';
import type { CommandState, Ended, LineageState } from '../room-state.ts';
import { type Species, seedTokenOf } from '../species.ts';
import { partsOf } from './grafts.ts';
import type { Organism } from './organism.ts';

export const LINEAGE = {
  /** Number of dead organisms that a room keeps when it forgets some. */
  most: 1_500,
  /** A room forgets some dead organisms once it has more than `most` + `slack`. */
  slack: 64,
} as const;
const { most, slack } = LINEAGE;

/** The organisms that have died during a room's day. */
export class Lineage {
  /** Remembered dead organisms, in order of death. */
  private ended: Ended[] = [];
  /** Number of organisms that have died during the day and have been forgotten. */
  private forgotten = 0;

  constructor(private readonly species: Species) {}

  export(): Pick<CommandState, 'lineage'> {
    const { ended, forgotten } = this;
    return ended.length > 0 ? { lineage: { ended: [...ended], forgotten } } : {};
  }

  restore({ lineage }: Pick<CommandState, 'lineage'>): void {
    this.ended = [...(lineage?.ended ?? [])];
    this.forgotten = lineage?.forgotten ?? 0;
  }

  get state(): LineageState {
    return { ended: this.ended, forgotten: this.forgotten };
  }

  add(organism: Organism, cause: Cause, died: number): void {
    const { id, kind, origin, parents, born, wounds, healed, latent, planter, was } = organism;
    const parts = partsOf(organism);
    this.ended.push({
      ...{ id, kind, origin, parents: [...parents], planter: { ...planter } },
      ...{ born, wounds, healed, cause, died },
      ...(was && { was: was.map((one) => one.kind) }),
      // Named kinds need no latent here, because the gallery contains their latents.
      ...(kind === '' && { latent }),
      ...(parts && { parts, token: seedTokenOf(this.species, organism) }),
    });
  }

  /**
   * Forgets some dead organisms if there are too many.
   *
   * @param living all living organisms of the room
   */
  prune(living: Iterable<Organism>): void {
    if (this.ended.length <= most + slack) return;
    const kept = mostOf(this.ended, living, most);
    this.forgotten += this.ended.length - kept.length;
    this.ended = kept;
  }
}

/**
 * Chooses `most` dead organisms to remember: the `most` / 2 that died last, then ancestors of
 * living organisms, then those that died latest among the rest.
 */
function mostOf(
  ended: readonly Ended[],
  living: Iterable<Pick<Ended, 'parents'>>,
  most: number,
): Ended[] {
  const ancestors = ancestorsOf(living, new Map(ended.map((one) => [one.id, one])));
  const isAncestor = (one: Ended): boolean => ancestors.has(one.id);
  const split = ended.length - Math.floor(most / 2);
  const earlier = ended.slice(0, split);
  const others = earlier.filter((one) => !isAncestor(one));
  const inOrder = [...others, ...earlier.filter(isAncestor), ...ended.slice(split)];
  const kept = new Set(inOrder.slice(-most));
  return ended.filter((one) => kept.has(one));
}

/**
 * Returns the ids of all known ancestors of `children`.
 *
 * @param known the known organisms, by id
 */
export function ancestorsOf(
  children: Iterable<Pick<Ended, 'parents'>>,
  known: ReadonlyMap<OrganismId, Pick<Ended, 'parents'>>,
): Set<OrganismId> {
  const found = new Set<OrganismId>();
  const open = [...children];
  for (let child = open.pop(); child; child = open.pop()) {
    for (const id of child.parents) {
      const parent = known.get(id);
      if (!parent || found.has(id)) continue;
      found.add(id);
      open.push(parent);
    }
  }
  return found;
}
