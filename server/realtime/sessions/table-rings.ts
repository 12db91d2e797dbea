/**
 * The rings of a touch table: people who share the table's connection. Each ring is a participant
 * with its own session, address key and rate limits.
 */
import type { Command } from '../../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import { getOrAdd } from '../../platform/collections.ts';
import {
  chargeCommand,
  type MessageName,
  parseCommand,
  type RingMessage,
  type RoomDirectory,
  type RoomSession,
  readId,
} from '../commands/client-messages.ts';
import type { Allowance } from '../limits/connection-limits.ts';
import { type RoomClient, rejectionOf } from './room-client.ts';

interface TableRingsOptions {
  readonly rooms: Pick<RoomDirectory, 'open'>;
  readonly room: string;
  /** Secret in the URL of the table's page, which identifies the table's reserved seat. */
  readonly pass: string;
  readonly newAllowance: () => Allowance;
  readonly send: (message: Event<'ring'>) => void;
}

/**
 * Connects one ring (person at a touch table) to a room. Drops frames and room-wide events, because
 * the table's own connection receives them.
 */
class RingClient implements RoomClient {
  readonly writable = true;
  /** Unique address key. Energy and turns in queues are counted per address key (rule ENE-5). */
  readonly address = `table ${this.options.pass} ring ${this.ring}`;

  /** @param ended called when the room removes or refuses the person */
  constructor(
    readonly ring: number,
    private readonly options: Pick<TableRingsOptions, 'pass' | 'send'>,
    private readonly ended: (client: RingClient) => void,
  ) {}

  send<N extends EventName>(event: N, message: Event<N>): void {
    const { ring } = this;
    if (event === 'accepted' || event === 'rejected' || event === 'energy') {
      this.options.send({ ring, name: event, message });
    } else if (event === 'welcome') {
      const { you, resume, mark, energy, hand } = message as Event<'welcome'>;
      const seated = { you, resume, energy, hand, ...(mark !== undefined && { mark }) };
      this.options.send({ ring, name: 'seated', message: seated });
    }
  }

  sendFrame(): void {}

  entered(): void {}

  refuse(refusal: Refusal, id?: number): void {
    if (id === undefined) this.disconnect(refusal.reason);
    else this.send('rejected', rejectionOf(refusal, id));
  }

  disconnect(reason: Reason): void {
    this.options.send({ ring: this.ring, name: 'left', message: { reason } });
    this.ended(this);
  }
}

/** Handles a touch table's messages about its rings (people at the table). */
export class TableRings {
  private readonly rings = new Map<
    number,
    { readonly client: RingClient; readonly session: RoomSession }
  >();
  /**
   * Rate limits by ring number. The limits outlive the ring, so that reopening a ring does not
   * reset the limits.
   */
  private readonly allowances = new Map<number, Allowance>();

  constructor(private readonly options: TableRingsOptions) {}

  handle<N extends RingMessage>(name: N, message: Command<N>): void {
    const { ring } = message;
    if (name === 'forget') this.forget(ring);
    else if (name === 'enter') this.enter(message as Command<'enter'>);
    else this.act(message as Command<'ring'>);
  }

  /** Ends the sessions of all people at the table. Call when the table's connection has ended. */
  close(): void {
    for (const ring of [...this.rings.keys()]) this.forget(ring);
  }

  private enter({ ring, ...entry }: Command<'enter'>): void {
    this.forget(ring);
    const { rooms, room, pass } = this.options;
    const client = new RingClient(ring, this.options, (ended) => {
      if (this.rings.get(ring)?.client === ended) this.rings.delete(ring);
    });
    try {
      this.allowanceOf(ring).charge('namesPerSecond');
      const session = rooms.open(room, client);
      this.rings.set(ring, { client, session });
      session.join({ ...entry, ring, pass, name: '' });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      client.refuse(error);
    }
  }

  private act({ ring, name, message }: Command<'ring'>): void {
    const allowance = this.allowanceOf(ring);
    const found = this.rings.get(ring);
    try {
      allowance.charge('messagesPerSecond');
      const command = parseCommand(name, message);
      chargeCommand(allowance, name, command);
      if (!found) throw new Refusal('not-joined', `ring ${ring}`);
      found.session.handle<MessageName>(name, command);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const refused = rejectionOf(error, readId(message));
      this.options.send({ ring, name: 'rejected', message: refused });
    }
  }

  private forget(ring: number): void {
    const found = this.rings.get(ring);
    this.rings.delete(ring);
    found?.session.leave();
  }

  private allowanceOf(ring: number): Allowance {
    return getOrAdd(this.allowances, ring, this.options.newAllowance);
  }
}
