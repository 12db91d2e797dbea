/**
 * Decides how often clients are sent a room's events and the cursors of other participants. In a
 * crowd, each client is sent its events together with its next frame, because separate writes would
 * take too long.
 */
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import {
  type PackedPointer,
  POINTER_INTERVAL,
  type Pointer,
  packPointer,
} from '../../../shared/protocol/pointers.ts';
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import type { RoomClient } from '../sessions/room-client.ts';

type Recipient = Pick<RoomClient, 'send'>;

/**
 * Number of delivery rounds (calls of `deliver`) after which a queued event is dropped. By then,
 * each client has received the event.
 */
const ROUNDS = 3;

/** Delivers each event to each client exactly once, in the order in which the events were added. */
export class EventQueue {
  private events: {
    /** Sequence number of the event, counted from 1. */
    readonly number: number;
    /** Delivery round in which the event was added. */
    readonly round: number;
    readonly send: (client: Recipient) => void;
  }[] = [];
  private count = 0;
  private round = 0;
  /**
   * For each client, the number of the last event that the client has received, separately or in
   * its welcome message.
   */
  private readonly lastReceived = new WeakMap<Recipient, number>();

  /** Queues an event for all clients. @param message must not be modified after this call */
  add<N extends EventName>(event: N, message: Event<N>): void {
    const send = (client: Recipient): void => client.send(event, message);
    this.events.push({ number: ++this.count, round: this.round, send });
  }

  /**
   * Makes a client skip all events added so far. Call when the client is sent a welcome message,
   * which already includes these events.
   */
  startFor(client: Recipient): void {
    this.lastReceived.set(client, this.count);
  }

  /**
   * Sends the new events to each client whose turn it is in this delivery round.
   *
   * @param hasTurn whether it is a client's turn; must be true at least once in any three
   *   successive rounds, because older events are dropped
   */
  deliver<R extends Recipient>(members: Iterable<R>, hasTurn: (client: R) => boolean): void {
    const due = this.events.length > 0 ? [...members].filter(hasTurn) : [];
    // Send each event to all clients before the next event: copies for clients on another server
    // are merged only if they are consecutive.
    for (const { number, send } of this.events) {
      for (const member of due) if (number > (this.lastReceived.get(member) ?? 0)) send(member);
    }
    for (const member of due) this.lastReceived.set(member, this.count);
    this.round++;
    this.events = this.events.filter(({ round }) => round > this.round - ROUNDS);
  }
}

/** With more participants than this number, cursors are sent less often, to limit traffic. */
export const CURSOR_PEOPLE = 250;

/** Collects cursor movements and returns them at a limited rate. */
export class Cursors {
  private moved = new Map<ParticipantId, Pointer>();
  private lastSentAt = 0;

  move(participant: ParticipantId, pointer: Omit<Pointer, 'id'>): void {
    this.moved.set(participant, { ...pointer, id: participant });
  }

  /** Makes all pages hide a participant's cursor. */
  hide(participant: ParticipantId): void {
    this.moved.set(participant, { id: participant, tool: 'look' });
  }

  forget(participant: ParticipantId): void {
    this.moved.delete(participant);
  }

  /**
   * Returns the cursors that have moved since the last result. The interval between results grows
   * with the number of recipients.
   *
   * @param now current time, in ms
   * @param people number of recipients
   * @returns undefined if no cursor has moved, or if the interval has not passed yet
   */
  due(now: number, people: number): PackedPointer[] | undefined {
    const interval = POINTER_INTERVAL * Math.max(1, people / CURSOR_PEOPLE);
    if (now - this.lastSentAt < interval || this.moved.size === 0) return undefined;
    const all = [...this.moved.values()].map(packPointer);
    this.moved = new Map();
    this.lastSentAt = now;
    return all;
  }
}
