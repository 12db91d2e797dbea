/**
 * What a room tells everybody after a tick. In a crowd each hears it with her frame, a tick later at most: a write of its own for
 * each of a thousand connections would cost more than the tick.
 */
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import type { RoomClient } from '../sessions/room-client.ts';

interface Item {
  /** 1…, in the order of telling. */
  readonly number: number;
  /** How many times news had been handed out before. */
  readonly round: number;
  readonly send: (client: RoomClient) => void;
}

/** Rounds within which everybody has a turn: two, and a third for her whose turns have just become others. */
const ROUNDS = 3;

export class EventQueue {
  private items: Item[] = [];
  private count = 0;
  private round = 0;
  /** The last item that each has been told, or knows from her welcome. */
  private readonly heard = new WeakMap<RoomClient, number>();

  /** @param message is not changed from now on */
  add<N extends EventName>(event: N, message: Event<N>): void {
    const send = (client: RoomClient): void => client.send(event, message);
    this.items.push({ number: ++this.count, round: this.round, send });
  }

  /** She has just been told all that is. */
  startFor(client: RoomClient): void {
    this.heard.set(client, this.count);
  }

  /**
   * Tells each of them what she has not heard yet.
   *
   * @param hasTurn whether it is to be now; within three rounds it must be so once
   */
  deliver(members: Iterable<RoomClient>, hasTurn: (client: RoomClient) => boolean): void {
    if (this.items.length > 0) {
      for (const member of members) {
        if (!hasTurn(member)) continue;
        const heard = this.heard.get(member) ?? 0;
        for (const { number, send } of this.items) if (number > heard) send(member);
        this.heard.set(member, this.count);
      }
    }
    this.round++;
    this.items = this.items.filter(({ round }) => round > this.round - ROUNDS);
  }
}
