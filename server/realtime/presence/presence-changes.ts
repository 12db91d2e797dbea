/** Collects joins, leaves and renames of a tick, so that clients get one message per tick. */
import type { Event } from '../../../shared/protocol/events.ts';
import {
  HOUSE,
  type OrganismView,
  type ParticipantId,
  type ParticipantView,
} from '../../../shared/vocabulary.ts';

/** So many may join in one tick until each of them is told of their own join too. */
const FEW = 16;

/** The presence changes since the last `clear`. */
export class PresenceChanges {
  private readonly joined = new Map<ParticipantId, ParticipantView>();
  private readonly left = new Set<ParticipantId>();
  /** Those of `joined` who were present already, under another name. */
  private readonly renamed = new Set<ParticipantId>();
  /** The message for most clients; built once. */
  private shared: Event<'people'> | undefined;

  /** Whether anything has changed. */
  get hasChanges(): boolean {
    return this.joined.size > 0 || this.left.size > 0;
  }

  /** A participant has joined or resumed. Clients that joined in between do not know them yet. */
  enter(you: ParticipantView): void {
    this.shared = undefined;
    this.left.delete(you.id);
    this.joined.set(you.id, you);
  }

  /**
   * A participant has left. This counts even if they joined in the same tick, since welcomes name
   * them.
   */
  leave(id: ParticipantId): void {
    this.shared = undefined;
    this.renamed.delete(id);
    this.joined.delete(id);
    this.left.add(id);
  }

  /** A participant has a new name. Newcomers are announced only under their new name. */
  rename(you: ParticipantView): void {
    this.shared = undefined;
    this.joined.set(you.id, you);
    this.renamed.add(you.id);
  }

  /**
   * Builds the message for one client.
   *
   * @param own the client's participant, whose own join is left out if few have joined; absent for a
   *   wall
   * @returns one shared object for clients with the same changes; undefined if there are none
   */
  changesFor(own?: ParticipantId): Event<'people'> | undefined {
    this.shared ??= { joined: [...this.joined.values()], left: [...this.left] };
    const { joined, left } = this.shared;
    // A message for each of them would be far too much when everybody comes back at once.
    if (joined.length > FEW) return this.shared;
    const knows = own !== undefined && this.joined.has(own) && !this.renamed.has(own);
    if (!knows) return joined.length + left.length > 0 ? this.shared : undefined;
    const others = joined.filter(({ id }) => id !== own);
    return others.length + left.length > 0 ? { joined: others, left } : undefined;
  }

  /** Forgets all changes, after they were sent. */
  clear(): void {
    this.shared = undefined;
    this.joined.clear();
    this.left.clear();
    this.renamed.clear();
  }
}

/**
 * The names of all present participants, and of absent ones who planted living organisms. The
 * absent ones join and leave in the same message, which makes pages update the names on their
 * organisms.
 */
export function allNames(
  participants: readonly ParticipantView[],
  organisms: readonly Pick<OrganismView, 'planter'>[],
): Event<'people'> {
  const present = new Set(participants.map(({ id }) => id));
  const absent = new Map(
    organisms
      .map(({ planter }) => [planter.id, planter] as const)
      .filter(([id]) => id !== HOUSE.id && !present.has(id)),
  );
  return { joined: [...participants, ...absent.values()], left: [...absent.keys()] };
}
