/**
 * The dead organisms that a room remembers for its family tree (rule GEN-1). They are part of the
 * room's state: after a crash, an undo or a restore, they agree with the journal.
 */
import type { Cause, OrganismId } from '../../../shared/vocabulary.ts';
import type { CommandState, Ended, LineageState } from '../room-state.ts';
import type { Organism } from './organism.ts';

/** Limits of a room's memory of dead organisms. */
export const LINEAGE = {
  /** Number of dead organisms that are kept when others are forgotten. */
  most: 1_500,
  /** Number of dead organisms above `most` before some are forgotten. */
  slack: 64,
  /** Time span that a family tree shows, in hours. */
  hours: 24,
} as const;
const { most, slack } = LINEAGE;

/** The dead organisms of a room's day. */
export class Lineage {
  /** In order of death. */
  private ended: Ended[] = [];
  /** Number of the day's dead organisms that have been forgotten. */
  private forgotten = 0;
  /** Organisms that have died since the last tick. */
  private readonly dying: Omit<Ended, 'died'>[] = [];

  export(): Pick<CommandState, 'lineage'> {
    const { ended, forgotten } = this;
    return ended.length > 0 ? { lineage: { ended: [...ended], forgotten } } : {};
  }

  restore({ lineage }: Pick<CommandState, 'lineage'>): void {
    this.ended = [...(lineage?.ended ?? [])];
    this.forgotten = lineage?.forgotten ?? 0;
    this.dying.length = 0;
  }

  /** The remembered dead organisms. */
  get state(): LineageState {
    return { ended: this.ended, forgotten: this.forgotten };
  }

  /** Remembers an organism that dies. */
  add(organism: Organism, cause: Cause): void {
    const { id, kind, origin, parents, born, wounds, healed, latent, planter, was } = organism;
    this.dying.push({
      ...{ id, kind, origin, parents: [...parents], planter: { ...planter } },
      ...{ born, wounds, healed, cause },
      ...(was && { was: was.map((one) => one.kind) }),
      // The gallery has the latents of its own kinds.
      ...(kind === '' && { latent }),
    });
  }

  /** Forgets organisms whose planting in this tick was reverted: they never lived. */
  retract(ids: ReadonlySet<OrganismId>): void {
    this.dying.splice(0, Infinity, ...this.dying.filter(({ id }) => !ids.has(id)));
  }

  /**
   * Ends a tick: adds its dead organisms, and forgets some if there are too many.
   *
   * @param living all living organisms of the room
   */
  settle(tick: number, living: Iterable<Organism>): void {
    for (const one of this.dying.splice(0)) this.ended.push({ ...one, died: tick });
    if (this.ended.length <= most + slack) return;
    const kept = mostOf(this.ended, living, most);
    this.forgotten += this.ended.length - kept.length;
    this.ended = kept;
  }
}

/** Chooses the dead to remember: the latest half, then ancestors of the living, then others. */
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

/** Returns the ids of all known ancestors. @param known organisms by id */
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
