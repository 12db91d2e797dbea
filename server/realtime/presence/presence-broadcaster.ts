/** Tells the clients of a room who is present, what their names are, and how long the queue is. */
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import type { ParticipantId, ParticipantView } from '../../../shared/vocabulary.ts';
import { getOrAdd } from '../../platform/get-or-add.ts';
import type { RoomClient } from '../sessions/room-client.ts';
import type { RoomContext } from '../sessions/room-context.ts';
import { allNames, PresenceChanges } from './presence-changes.ts';

/** Collects presence changes during a tick and sends them in one message per client. */
export class PresenceBroadcaster {
  readonly changes = new PresenceChanges();
  private isQueueChanged = false;
  /** What each waiting client was told last. */
  private readonly positions = new WeakMap<RoomClient, number>();

  /** @param watchers the walls and spectators at the moment of the call */
  constructor(
    private readonly context: RoomContext,
    private readonly watchers: () => Iterable<RoomClient>,
  ) {}

  /** All participants, walls and spectators. */
  *allClients(): Generator<RoomClient> {
    yield* this.context.slots.members;
    yield* this.watchers();
  }

  /** Sends an event to everybody at once, without the names that the policy hides. */
  broadcastEvent<N extends EventName>(event: N, message: Event<N>): void {
    const shown = this.context.policy.redactNames(event, message);
    for (const client of this.allClients()) client.send(event, shown);
  }

  /** Sends all names in one message, which costs far less than a welcome for each client. */
  resendNames(): void {
    const { policy, slots, room } = this.context;
    const names = policy.redactNames('people', allNames(slots.participants, room.organisms));
    for (const client of slots.members) {
      client.send('people', names);
      this.sendOwnName(client, slots.participantOf(client)!);
    }
  }

  /** Sends the presence changes since the last tick, in one message. */
  sendPresenceChanges(): void {
    if (!this.changes.hasChanges) return;
    const { policy, slots } = this.context;
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
    for (const client of slots.members) send(client, slots.participantOf(client)!.id);
    for (const watcher of this.watchers()) send(watcher);
    this.changes.clear();
  }

  /** Has `sendQueuePositions` send the positions at the end of this tick. */
  markQueueChanged(): void {
    this.isQueueChanged = true;
  }

  /**
   * Tells waiting clients how many are ahead, if that has changed since the last tick.
   */
  sendQueuePositions(): void {
    if (!this.isQueueChanged) return;
    this.isQueueChanged = false;
    this.context.slots.queued.forEach((client, ahead) => {
      if (this.positions.get(client) !== ahead) this.sendQueuePosition(client, ahead);
    });
  }

  /** Tells a waiting client how many are ahead. @param resume see the event */
  sendQueuePosition(client: RoomClient, ahead: number, resume?: string): void {
    this.positions.set(client, ahead);
    client.send('waiting', { ahead, ...(resume !== undefined && { resume }) });
  }

  /** Participants always see their own name, as in their welcome. */
  private sendOwnName(client: RoomClient, you: ParticipantView): void {
    if (this.context.policy.isNameHidden(you)) client.send('people', { joined: [you], left: [] });
  }
}
