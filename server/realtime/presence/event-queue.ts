/**
 * Queues a room's events for all clients. In a crowd, each client receives its events together with
 * its next frame, because a separate write to each of a thousand connections would cost more than
 * the tick.
 */
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import type { RoomClient } from '../sessions/room-client.ts';

type Recipient = Pick<RoomClient, 'send'>;

/**
 * Number of delivery rounds within which each client has at least one turn. A client usually waits
 * for at most two rounds, or three if it changes its tier.
 */
const ROUNDS = 3;

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
   * Sequence number of the last event that each client has received, or that its welcome already
   * includes.
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
    if (this.events.length > 0) {
      for (const member of members) {
        if (!hasTurn(member)) continue;
        const last = this.lastReceived.get(member) ?? 0;
        for (const { number, send } of this.events) if (number > last) send(member);
        this.lastReceived.set(member, this.count);
      }
    }
    this.round++;
    this.events = this.events.filter(({ round }) => round > this.round - ROUNDS);
  }
}
