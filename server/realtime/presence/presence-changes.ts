/** Who has come and who has gone since people were last told, so that they are told once a tick, however many it is. */
import type { Event } from '../../../shared/protocol/events.ts';
import {
  HOUSE,
  type OrganismView,
  type ParticipantId,
  type ParticipantView,
} from '../../../shared/vocabulary.ts';

export class PresenceChanges {
  private readonly joined = new Map<ParticipantId, ParticipantView>();
  private readonly left = new Set<ParticipantId>();
  /** Of those who have come, who was here already, under another name. */
  private readonly renamed = new Set<ParticipantId>();
  /** What most are told, once it has been put together. */
  private shared: Event<'people'> | undefined;

  get hasChanges(): boolean {
    return this.joined.size > 0 || this.left.size > 0;
  }

  /** One has come, or has come back: who came while she was away does not know her. */
  enter(you: ParticipantView): void {
    this.shared = undefined;
    this.left.delete(you.id);
    this.joined.set(you.id, you);
  }

  /** One has gone, if only just come: who came after her has found her here. */
  leave(id: ParticipantId): void {
    this.shared = undefined;
    this.renamed.delete(id);
    this.joined.delete(id);
    this.left.add(id);
  }

  /** One is called otherwise from now on; who has just come is told of with her new name alone. */
  rename(you: ParticipantView): void {
    this.shared = undefined;
    this.joined.set(you.id, you);
    this.renamed.add(you.id);
  }

  /**
   * @param own of one who is there herself: nobody is told that she has come; absent for a wall
   * @returns the same object for all who are told the same; undefined when there is nothing to tell
   */
  changesFor(own?: ParticipantId): Event<'people'> | undefined {
    this.shared ??= { joined: [...this.joined.values()], left: [...this.left] };
    const { joined, left } = this.shared;
    const knows = own !== undefined && this.joined.has(own) && !this.renamed.has(own);
    if (!knows) return joined.length + left.length > 0 ? this.shared : undefined;
    const others = joined.filter(({ id }) => id !== own);
    return others.length + left.length > 0 ? { joined: others, left } : undefined;
  }

  /** Everybody has been told. */
  clear(): void {
    this.shared = undefined;
    this.joined.clear();
    this.left.clear();
    this.renamed.clear();
  }
}

/**
 * Who has which name: those who are here, and those who are not but have planted what lives. These come and go in the same message,
 * whereby pages sign their organisms anew.
 */
export function allNames(
  here: readonly ParticipantView[],
  organisms: readonly Pick<OrganismView, 'planter'>[],
): Event<'people'> {
  const present = new Set(here.map(({ id }) => id));
  const absent = new Map(
    organisms
      .map(({ planter }) => [planter.id, planter] as const)
      .filter(([id]) => id !== HOUSE.id && !present.has(id)),
  );
  return { joined: [...here, ...absent.values()], left: [...absent.keys()] };
}
