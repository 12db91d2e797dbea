/**
 * Decides how often clients get a room's events and the other participants' cursors. In a crowd,
 * each client receives its events together with its next frame, because a separate write to each of
 * a thousand connections would cost more than the tick.
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
 * Number of delivery rounds within which each client has at least one turn. A client usually waits
 * for at most two rounds, or three if it changes its tier.
 */
const ROUNDS = 3;

/** With this many viewers or more, those below full quality get events only every second tick. */
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

/** Delivers each event once to each client, in order. */
export class EventQueue {
  private events: {
    /** Sequence number of the event, counted from 1. */
    readonly number: number;
    /** The delivery round in which the event was added. */
    readonly round: number;
    readonly send: (client: Recipient) => void;
  }[] = [];
  private count = 0;
  private round = 0;
  /**
   * For each client, the sequence number of the last event that it has received or that its welcome
   * already includes.
   */
  private readonly lastReceived = new WeakMap<Recipient, number>();

  /** Queues an event. @param message must not change afterwards */
  add<N extends EventName>(event: N, message: Event<N>): void {
    const send = (client: Recipient): void => client.send(event, message);
    this.events.push({ number: ++this.count, round: this.round, send });
  }

  /** Skips all events so far for a client, because its welcome already includes them. */
  startFor(client: Recipient): void {
    this.lastReceived.set(client, this.count);
  }

  /**
   * Sends new events to each client that has a turn in this round.
   *
   * @param hasTurn must return true for each client at least once in three rounds
   */
  deliver<R extends Recipient>(members: Iterable<R>, hasTurn: (client: R) => boolean): void {
    const due = this.events.length > 0 ? [...members].filter(hasTurn) : [];
    // Send one event after the other, because a gateway's link merges equal events in a row.
    for (const { number, send } of this.events) {
      for (const member of due) if (number > (this.lastReceived.get(member) ?? 0)) send(member);
    }
    for (const member of due) this.lastReceived.set(member, this.count);
    this.round++;
    this.events = this.events.filter(({ round }) => round > this.round - ROUNDS);
  }
}

/** Number of people above which the cursor interval grows, to limit traffic. */
export const CURSOR_PEOPLE = 250;

/** Collects the moves of cursors and returns them at a limited rate. */
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

  /** Drops a move that has not been broadcast yet, because the participant has left. */
  forget(participant: ParticipantId): void {
    this.moved.delete(participant);
  }

  /**
   * Returns the cursors that have moved, and clears them. The interval between broadcasts grows
   * with the number of recipients.
   *
   * @param now ms
   * @param people number of recipients
   * @returns undefined if no cursor has moved, or if the last broadcast was too recent
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
