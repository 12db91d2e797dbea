/**
 * Tells the clients of a room which participants are present, what their names are, and how long
 * the queue is. Start reading at `Presence`.
 */
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import {
  HOUSE,
  type OrganismView,
  type ParticipantId,
  type ParticipantView,
} from '../../../shared/vocabulary.ts';
import { getOrAdd } from '../../platform/collections.ts';
import type { RoomPolicy } from '../policy/room-policy.ts';
import type { RoomClient } from '../sessions/room-client.ts';
import type { RoomContext } from '../sessions/room-context.ts';

/**
 * If one tick has more new participants and new names than this, all clients are sent the same
 * message, to save time. Otherwise, each newcomer is sent a message that leaves them out.
 */
const FEW = 16;

/** Collects the presence changes since the last `clear`. */
export class PresenceChanges {
  private readonly joined = new Map<ParticipantId, ParticipantView>();
  private readonly left = new Set<ParticipantId>();
  /** Participants in `joined` who have changed their name in this tick. */
  private readonly renamed = new Set<ParticipantId>();
  /** Cached message for most clients. Only a newcomer may need another message. */
  private shared: Event<'people'> | undefined;

  /**
   * Records that a participant has joined, or has resumed their seat. A participant who left and
   * returned within a tick is announced as joined, because clients that joined during the absence
   * do not know this participant.
   */
  enter(you: ParticipantView): void {
    this.shared = undefined;
    this.left.delete(you.id);
    this.joined.set(you.id, you);
  }

  /**
   * Records that a participant has left. A participant who joined and left within a tick is
   * announced as left, because clients that joined in the meantime know this participant.
   */
  leave(id: ParticipantId): void {
    this.shared = undefined;
    this.renamed.delete(id);
    this.joined.delete(id);
    this.left.add(id);
  }

  rename(you: ParticipantView): void {
    this.shared = undefined;
    this.joined.set(you.id, you);
    this.renamed.add(you.id);
  }

  /**
   * Builds the presence message for one client.
   *
   * @param own the client's participant; undefined for walls and spectators
   * @returns undefined if the client needs no message. Clients that need the same message get the
   *   same object
   */
  changesFor(own?: ParticipantId): Event<'people'> | undefined {
    this.shared ??= { joined: [...this.joined.values()], left: [...this.left] };
    const { joined, left } = this.shared;
    // Separate messages for many newcomers would take too long, so send everybody the same message.
    if (joined.length > FEW) return this.shared;
    const knows = own !== undefined && this.joined.has(own) && !this.renamed.has(own);
    if (!knows) return joined.length + left.length > 0 ? this.shared : undefined;
    const others = joined.filter(({ id }) => id !== own);
    return others.length + left.length > 0 ? { joined: others, left } : undefined;
  }

  clear(): void {
    this.shared = undefined;
    this.joined.clear();
    this.left.clear();
    this.renamed.clear();
  }
}

/**
 * Lists the names of all present participants, and of absent participants who planted or grafted
 * onto a living organism. Absent participants are in both lists: `joined` makes pages update the
 * name on organisms; `left` stops pages from showing the participant as present.
 */
export function allNames(
  participants: readonly ParticipantView[],
  organisms: readonly Pick<OrganismView, 'planter' | 'parts'>[],
): Event<'people'> {
  const present = new Set(participants.map(({ id }) => id));
  const absent = new Map(
    organisms
      .flatMap(({ planter, parts = [] }) => [planter, ...parts.flatMap(({ by }) => by ?? [])])
      .filter(({ id }) => id !== HOUSE.id && !present.has(id))
      .map((one) => [one.id, one] as const),
  );
  return { joined: [...participants, ...absent.values()], left: [...absent.keys()] };
}

/** Collects presence changes during a tick, and then sends each client one message about them. */
export class Presence {
  readonly changes = new PresenceChanges();
  private isQueueChanged = false;
  /** The queue position last sent to each client in the queue. */
  private readonly positions = new WeakMap<RoomClient, number>();

  /** @param watchers walls and spectators */
  constructor(
    private readonly context: RoomContext,
    private readonly watchers: readonly { readonly members: Iterable<RoomClient> }[],
  ) {}

  *allClients(): Generator<RoomClient> {
    for (const { members } of [this.context.seats, ...this.watchers]) yield* members;
  }

  /** Sends an event to all clients immediately, without the names that the policy hides. */
  broadcastEvent<N extends EventName>(event: N, message: Event<N>): void {
    const shown = this.context.policy.redactNames(event, message);
    for (const client of this.allClients()) client.send(event, shown);
  }

  /** Sends all names to each participant. Walls and spectators get new welcome messages instead. */
  resendNames(): void {
    const { policy, seats, room } = this.context;
    const names = policy.redactNames('people', allNames(seats.participants, room.organisms));
    for (const client of seats.members) {
      client.send('people', names);
      this.sendOwnName(client, seats.participantOf(client)!);
    }
  }

  /** Sends the presence changes since the last tick, in one message per client. */
  sendPresenceChanges(): void {
    if (!this.changes.changesFor()) return;
    const { policy, seats } = this.context;
    const shown = new Map<unknown, Event<'people'>>();
    const send = (client: RoomClient, own?: ParticipantId): void => {
      const people = this.changes.changesFor(own);
      if (people) {
        const message = getOrAdd(shown, people, () => policy.redactNames('people', people));
        client.send('people', message);
      }
      const you = people?.joined.find(({ id }) => id === own);
      if (you) this.sendOwnName(client, you);
    };
    for (const client of this.allClients()) send(client, seats.participantOf(client)?.id);
    this.changes.clear();
  }

  /** Makes the next call of `sendQueuePositions` send the positions. */
  markQueueChanged(): void {
    this.isQueueChanged = true;
  }

  /**
   * Sends each client in the queue how many clients are ahead of it, if this number has changed.
   */
  sendQueuePositions(): void {
    if (!this.isQueueChanged) return;
    this.isQueueChanged = false;
    this.context.seats.queued.forEach((client, ahead) => {
      if (this.positions.get(client) !== ahead) this.sendQueuePosition(client, ahead);
    });
  }

  /**
   * Sends a client in the queue how many clients are ahead of it.
   *
   * @param resume token with which the client can return to its position: see `Event<'waiting'>`
   */
  sendQueuePosition(client: RoomClient, ahead: number, resume?: string): void {
    this.positions.set(client, ahead);
    client.send('waiting', { ahead, ...(resume !== undefined && { resume }) });
  }

  /**
   * If a participant's name is hidden from others, sends the name to the participant's own page.
   */
  private sendOwnName(client: RoomClient, you: ParticipantView): void {
    if (this.context.policy.isNameHidden(you)) client.send('people', { joined: [you], left: [] });
  }
}

/**
 * Types of refresh (sending data again). `room`: sends all clients the welcome message. `names`:
 * sends participants all names, and walls and spectators the welcome message. `walls`: sends only
 * walls the welcome message.
 */
export type Refresh = 'room' | 'names' | 'walls';

/**
 * Collects requests to refresh clients. Clients are refreshed between two ticks, at most once per
 * tick.
 */
export class RefreshRequests {
  private requested: Refresh | undefined;
  /** The refresh that the next call of `take` returns. */
  private pending: Refresh | undefined;
  /** Identifies the set of names that were hidden at the last request. */
  private hiddenNamesKey = this.policy.hiddenNamesKey;

  constructor(private readonly policy: Pick<RoomPolicy, 'hiddenNamesKey'>) {}

  /**
   * Requests a refresh of all clients after the tick. The refresh is `names` if the set of hidden
   * names has changed, otherwise `room`.
   */
  request(): void {
    const { hiddenNamesKey } = this.policy;
    if (hiddenNamesKey === this.hiddenNamesKey) this.requested = 'room';
    else if (this.requested !== 'room') this.requested = 'names';
    this.hiddenNamesKey = hiddenNamesKey;
  }

  /** Requests a refresh of the walls, unless a refresh of all clients is already requested. */
  requestWalls(): void {
    this.requested ??= 'walls';
  }

  /** Makes the next call of `take` return the refresh requested so far. Call once per tick. */
  endTick(): void {
    this.pending = this.requested;
    this.requested = undefined;
  }

  get hasPending(): boolean {
    return this.pending !== undefined;
  }

  take(): Refresh | undefined {
    const { pending } = this;
    this.pending = undefined;
    return pending;
  }
}
