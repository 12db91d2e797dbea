/**
 * What a room's server sends to the connections of another server in one turn of the event loop. An
 * event for many is sent once, with the numbers of those who get it, or of those who do not.
 */
import type { EventName } from '../../../shared/protocol/events.ts';
import type { FromRoom } from './messages.ts';

interface Addressed {
  readonly name: EventName;
  readonly message: unknown;
  readonly to: number[];
}

type Item = Addressed | Exclude<FromRoom, { what: 'event' }>;

export class OutgoingBatch {
  private items: Item[] = [];
  /** Place of each message in the batch. Messages do not change after they were sent. */
  private readonly places = new Map<unknown, number>();
  /** Place of the last item of each connection. */
  private readonly last = new Map<number, number>();

  get isEmpty(): boolean {
    return this.items.length === 0;
  }

  /** Whether it tells a page that its connection is over. */
  get hasEnd(): boolean {
    return this.items.some((item) => 'what' in item && item.what === 'end');
  }

  /** Adds an event for a connection. */
  event(connection: number, name: EventName, message: unknown): void {
    const place = this.places.get(message);
    const known = place === undefined ? undefined : this.items[place];
    const isInOrder = place !== undefined && (this.last.get(connection) ?? -1) < place;
    if (isInOrder && known && 'to' in known && known.name === name && !('what' in known)) {
      known.to.push(connection);
      this.last.set(connection, place);
      return;
    }
    this.places.set(message, this.items.length);
    this.push(connection, { name, message, to: [connection] });
  }

  /** Adds what concerns one connection. */
  add(item: Exclude<FromRoom, { what: 'event' }>): void {
    this.push(item.connection, item);
  }

  /** @param present the connections that are in the room by now @returns the items; none are left */
  take(present: ReadonlySet<number>): FromRoom[] {
    const taken = this.items.map((item): FromRoom => {
      if ('what' in item) return item;
      const { name, message, to } = item;
      return { what: 'event', to: shorter(to, present), name, message };
    });
    this.items = [];
    this.places.clear();
    this.last.clear();
    return taken;
  }

  private push(connection: number, item: Item): void {
    this.last.set(connection, this.items.length);
    this.items.push(item);
  }
}

/** Names those who get an event, or those who do not, whichever are fewer. */
function shorter(to: number[], present: ReadonlySet<number>) {
  if (2 * to.length <= present.size || !to.every((one) => present.has(one))) return { only: to };
  const getting = new Set(to);
  const except = [...present].filter((connection) => !getting.has(connection));
  return except.length < to.length ? { except } : { only: to };
}
