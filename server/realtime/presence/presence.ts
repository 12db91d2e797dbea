/**
 * Informs the clients of a room who is present, under which name, and how long the queue is. Does
 * not admit or remove anybody: see `RoomAdmission`. Start reading at `Presence`.
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
 * If at most this number of participants join in one tick, each of them gets a message that omits
 * their own join. If more join, everybody gets the same message.
 */
const FEW = 16;

/** Collects the presence changes since the last `clear`. */
export class PresenceChanges {
  private readonly joined = new Map<ParticipantId, ParticipantView>();
  private readonly left = new Set<ParticipantId>();
  /** Participants in `joined` who were already present and have only changed their name. */
  private readonly renamed = new Set<ParticipantId>();
  /**
   * The message for all clients that need no message of their own. It is cached, so that it is
   * built only once.
   */
  private shared: Event<'people'> | undefined;

  /**
   * Records that a participant has joined or resumed their seat. The join is announced even if they
   * left just before, because clients that joined in between do not know this participant yet.
   */
  enter(you: ParticipantView): void {
    this.shared = undefined;
    this.left.delete(you.id);
    this.joined.set(you.id, you);
  }

  /**
   * Records that a participant has left. The departure is announced even if they joined in the same
   * tick, because welcome messages sent in this tick may have listed them as present.
   */
  leave(id: ParticipantId): void {
    this.shared = undefined;
    this.renamed.delete(id);
    this.joined.delete(id);
    this.left.add(id);
  }

  /**
   * Records that a participant has a new name. If they joined in the same tick, they are announced
   * only under the new name.
   */
  rename(you: ParticipantView): void {
    this.shared = undefined;
    this.joined.set(you.id, you);
    this.renamed.add(you.id);
  }

  /**
   * Builds the message for one client.
   *
   * @param own participant of the client; undefined for walls and spectators. If few participants
   *   have joined, the message omits the join of `own`
   * @returns the same object for all clients that get the same changes; undefined if there are no
   *   changes
   */
  changesFor(own?: ParticipantId): Event<'people'> | undefined {
    this.shared ??= { joined: [...this.joined.values()], left: [...this.left] };
    const { joined, left } = this.shared;
    // If many participants join together, send everybody the same message, because building
    // separate messages would take too long.
    if (joined.length > FEW) return this.shared;
    const knows = own !== undefined && this.joined.has(own) && !this.renamed.has(own);
    if (!knows) return joined.length + left.length > 0 ? this.shared : undefined;
    const others = joined.filter(({ id }) => id !== own);
    return others.length + left.length > 0 ? { joined: others, left } : undefined;
  }

  /** Forgets all changes. Call once they have been sent. */
  clear(): void {
    this.shared = undefined;
    this.joined.clear();
    this.left.clear();
    this.renamed.clear();
  }
}

/**
 * Lists the names of all present participants, and of absent participants who planted living
 * organisms or grafted parts onto them. Absent participants are listed both as joined and as left.
 * Pages then update the names shown on the organisms, without showing the absent participants as
 * present.
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

/** Collects presence changes during a tick and sends them in one message per client. */
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

  /**
   * Sends each participant one message with all names. This takes far less time than new welcome
   * messages. Walls and spectators get new welcome messages instead.
   */
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

  /** Makes `sendQueuePositions` send the positions at the end of this tick. */
  markQueueChanged(): void {
    this.isQueueChanged = true;
  }

  /**
   * Sends each client in the queue the number of clients ahead of it, if this number has changed.
   */
  sendQueuePositions(): void {
    if (!this.isQueueChanged) return;
    this.isQueueChanged = false;
    this.context.seats.queued.forEach((client, ahead) => {
      if (this.positions.get(client) !== ahead) this.sendQueuePosition(client, ahead);
    });
  }

  /**
   * Sends a client in the queue the number of clients ahead of it.
   *
   * @param resume see `Event<'waiting'>`
   */
  sendQueuePosition(client: RoomClient, ahead: number, resume?: string): void {
    this.positions.set(client, ahead);
    client.send('waiting', { ahead, ...(resume !== undefined && { resume }) });
  }

  /**
   * If the participant's name is hidden from others, sends the name to the participant themselves.
   */
  private sendOwnName(client: RoomClient, you: ParticipantView): void {
    if (this.context.policy.isNameHidden(you)) client.send('people', { joined: [you], left: [] });
  }
}

/**
 * What a refresh sends to clients again. `room`: everything about the room, to all clients.
 * `names`: all names, to all clients. `walls`: only the welcome message, only to walls.
 */
export type Refresh = 'room' | 'names' | 'walls';

/**
 * Collects requests to refresh clients until the current tick has been handled. Clients are
 * therefore refreshed between two ticks, and at most once per tick.
 */
export class RefreshRequests {
  private requested: Refresh | undefined;
  /**
   * The refresh that was requested before the last tick ended, and that `take` will return next.
   */
  private pending: Refresh | undefined;
  /** Identifies the set of hidden names that was in force at the last request. */
  private hiddenNamesKey = this.policy.hiddenNamesKey;

  constructor(private readonly policy: Pick<RoomPolicy, 'hiddenNamesKey'>) {}

  /**
   * Requests that clients be refreshed after the tick: with all names if the policy now hides
   * different names, otherwise with the whole room.
   */
  request(): void {
    const { hiddenNamesKey } = this.policy;
    if (hiddenNamesKey === this.hiddenNamesKey) this.requested = 'room';
    else if (this.requested !== 'room') this.requested = 'names';
    this.hiddenNamesKey = hiddenNamesKey;
  }

  /**
   * Requests new welcome messages for walls, unless a refresh of all clients has been requested.
   */
  requestWalls(): void {
    this.requested ??= 'walls';
  }

  /** Makes the requested refresh available to `take`. Call once per tick. */
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
