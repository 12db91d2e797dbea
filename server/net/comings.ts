/** Who has come and who has gone since people were last told, so that they are told once a tick, however many it is. */
import type { Event } from '../../shared/protocol/events.ts';
import {
  HOUSE,
  type OrganismView,
  type ParticipantId,
  type ParticipantView,
} from '../../shared/vocabulary.ts';

export class Comings {
  private readonly come = new Map<ParticipantId, ParticipantView>();
  private readonly gone = new Set<ParticipantId>();
  /** Of those who have come, who was here already, under another name. */
  private readonly renamed = new Set<ParticipantId>();
  /** What most are told, once it has been put together. */
  private news: Event<'people'> | undefined;

  get any(): boolean {
    return this.come.size > 0 || this.gone.size > 0;
  }

  /** One has come, or has come back: who came while she was away does not know her. */
  enter(you: ParticipantView): void {
    this.news = undefined;
    this.gone.delete(you.id);
    this.come.set(you.id, you);
  }

  /** One has gone, if only just come: who came after her has found her here. */
  leave(id: ParticipantId): void {
    this.news = undefined;
    this.renamed.delete(id);
    this.come.delete(id);
    this.gone.add(id);
  }

  /** One is called otherwise from now on; who has just come is told of with her new name alone. */
  rename(you: ParticipantView): void {
    this.news = undefined;
    this.come.set(you.id, you);
    this.renamed.add(you.id);
  }

  /**
   * @param own of one who is there herself: nobody is told that she has come; absent for a wall
   * @returns the same object for all who are told the same; undefined when there is nothing to tell
   */
  newsFor(own?: ParticipantId): Event<'people'> | undefined {
    this.news ??= { joined: [...this.come.values()], left: [...this.gone] };
    const { joined, left } = this.news;
    const knows = own !== undefined && this.come.has(own) && !this.renamed.has(own);
    if (!knows) return joined.length + left.length > 0 ? this.news : undefined;
    const others = joined.filter(({ id }) => id !== own);
    return others.length + left.length > 0 ? { joined: others, left } : undefined;
  }

  /** Everybody has been told. */
  clear(): void {
    this.news = undefined;
    this.come.clear();
    this.gone.clear();
    this.renamed.clear();
  }
}

/**
 * Who has which name: those who are here, and those who are not but have planted what lives. These come and go in the same message,
 * whereby pages sign their organisms anew.
 */
export function namesOf(
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
