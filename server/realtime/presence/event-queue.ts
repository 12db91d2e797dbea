/**
 * Queues a room's events for all clients. In a crowd, each client gets them together with its next
 * frame, because a separate write to each of a thousand connections would cost more than the tick.
 */
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import type { RoomClient } from '../sessions/room-client.ts';

type Recipient = Pick<RoomClient, 'send'>;

/**
 * Number of rounds in which each client has at least one turn: two, and a third for a client that
 * changes its tier.
 */
const ROUNDS = 3;

/** Delivers each event once to each client, in order. */
export class EventQueue {
  private events: {
    /** Number of the event, counted from 1. */
    readonly number: number;
    /** The delivery round in which the event was added. */
    readonly round: number;
    readonly send: (client: Recipient) => void;
  }[] = [];
  private count = 0;
  private round = 0;
  /** Number of the last event that each client has received, or knows from its welcome. */
  private readonly lastReceived = new WeakMap<Recipient, number>();

  /** Queues an event. @param message must not change afterwards */
  add<N extends EventName>(event: N, message: Event<N>): void {
    const send = (client: Recipient): void => client.send(event, message);
    this.events.push({ number: ++this.count, round: this.round, send });
  }

  /** Skips all events so far, because the client's welcome contains them. */
  startFor(client: Recipient): void {
    this.lastReceived.set(client, this.count);
  }

  /**
   * Sends new events to each client that has a turn.
   *
   * @param hasTurn must be true for each client once in three rounds or more often
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
