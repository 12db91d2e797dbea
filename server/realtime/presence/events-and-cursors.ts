/**
 * Decides how often clients are sent a room's events and the cursors of other participants. In a
 * crowd, each client is sent its events together with its next frame: a thousand separate writes
 * for the events would take longer than the tick itself.
 */
import { isDue, TIERS } from '../../../shared/codec/tiers.ts';
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import {
  type PackedPointer,
  POINTER_INTERVAL,
  type Pointer,
  packPointer,
} from '../../../shared/protocol/pointers.ts';
import type { ParticipantId } from '../../../shared/vocabulary.ts';
import type { RoomClient } from '../sessions/room-client.ts';
import type { RoomBroadcaster } from '../streaming/room-broadcaster.ts';
import { CHANNEL_TIERS } from '../streaming/room-encoders.ts';
import type { Viewer } from '../streaming/viewer-stream.ts';

type Recipient = Pick<RoomClient, 'send'>;

/**
 * A queued event is dropped after this number of delivery rounds. By then, each client has had a
 * turn: usually within two rounds, and within three if its tier has changed.
 */
const ROUNDS = 3;

/**
 * If a room has at least this number of viewers, viewers below the tier `full` are sent events only
 * every second tick.
 */
export const CROWD = 100;

/** Returns whether a client gets events and cursors in this tick. */
export function hasTurn(
  client: Viewer,
  broadcaster: Pick<RoomBroadcaster, 'size' | 'channelTierOf'>,
  tick: number,
): boolean {
  if (broadcaster.size < CROWD) return true;
  const tier = broadcaster.channelTierOf(client);
  if (!tier || tier === 'full') return true;
  return isDue({ every: TIERS.half.every, after: CHANNEL_TIERS[tier].after }, tick);
}

/**
 * Delivers each event to each client once. A client receives the events in the order in which they
 * were added.
 */
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
   * For each client, the number of the last event that the client knows. The client has received
   * this event, or its welcome message already included the event.
   */
  private readonly lastReceived = new WeakMap<Recipient, number>();

  /** Queues an event for all clients. @param message must not be modified after this call */
  add<N extends EventName>(event: N, message: Event<N>): void {
    const send = (client: Recipient): void => client.send(event, message);
    this.events.push({ number: ++this.count, round: this.round, send });
  }

  /**
   * Makes a client skip all events that have been added so far, because they are already part of
   * the client's welcome message.
   */
  startFor(client: Recipient): void {
    this.lastReceived.set(client, this.count);
  }

  /**
   * Sends the new events to each client whose turn it is in this delivery round.
   *
   * @param hasTurn returns whether it is a client's turn. Must be true for each client at least
   *   once in three successive rounds
   */
  deliver<R extends Recipient>(members: Iterable<R>, hasTurn: (client: R) => boolean): void {
    const due = this.events.length > 0 ? [...members].filter(hasTurn) : [];
    // Send an event to all clients before sending the next event. The link to a gateway can then
    // merge the copies of an event, which it does only if they are consecutive.
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

  /** Drops the last cursor movement of a participant who has left. */
  forget(participant: ParticipantId): void {
    this.moved.delete(participant);
  }

  /**
   * Returns the cursors that have moved since this function last returned any. With more
   * recipients, the minimum interval between two results is longer.
   *
   * @param now current time, in ms
   * @param people number of recipients
   * @returns undefined if no cursor has moved, or if the minimum interval has not passed yet
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
