/**
 * A room's side of a link to a gateway: a server to which visitors of this room are connected. The
 * room has a `RoomClient` for each of these connections. The gateway itself makes the frames that
 * it sends to them. Start at `GatewayLink.receive`.
 */
import type { Command } from '../../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import { unpackPointer } from '../../../shared/protocol/pointers.ts';
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import {
  isRingMessage,
  type MessageName,
  parseCommand,
  readId,
} from '../commands/client-messages.ts';
import type { RoomServer } from '../room-server.ts';
import { LocalSession } from '../sessions/local-session.ts';
import type { CommonWelcome, PersonalWelcome, RoomClient } from '../sessions/room-client.ts';
import type { RemoteViewer } from '../streaming/room-broadcaster.ts';
import type { StreamStart, Viewport } from '../streaming/viewer-stream.ts';
import { type BatchToRoom, encode, type FromRoom, OutgoingBatch, type ToRoom } from './messages.ts';

/** A connection to a gateway, as seen by the server that runs the room. */
class LinkedClient implements RoomClient, RemoteViewer {
  /** Always true, because the gateway sends the frames. */
  readonly writable = true;
  viewport: Viewport | undefined;
  /**
   * This connection's client on an earlier link. The earlier client stays in the room until this
   * one has entered.
   */
  before: LinkedClient | undefined;
  readonly session: LocalSession;

  constructor(
    readonly connection: number,
    readonly address: string,
    /** Whether the connection is a wall, a table or a spectator. */
    readonly watches: boolean,
    readonly ring: number | undefined,
    private readonly link: GatewayLink,
  ) {
    this.session = new LocalSession(link.options.find, this);
  }

  send<N extends EventName>(event: N, message: Event<N>): void {
    this.link.send((batch) => batch.event(this.connection, event, message));
  }

  sendWelcome<N extends 'welcome' | 'wall'>(
    event: N,
    common: CommonWelcome,
    personal: PersonalWelcome<N>,
  ): void {
    this.link.welcome(this.connection, event, common, personal);
  }

  /** Does nothing, because the gateway makes the frames. */
  sendFrame(): void {}

  disconnect(reason: Reason): void {
    // If the room has moved to another server, send nothing, because the gateway makes its
    // connections follow the room.
    if (reason !== 'elsewhere') this.add({ what: 'end', connection: this.connection, reason });
    this.link.removed(this);
  }

  /**
   * Removes this connection's client on the earlier link, because the room has decided on the new
   * join.
   */
  entered(): void {
    const { before } = this;
    this.before = undefined;
    before?.session.leave();
  }

  /** Refuses the client's join, and forgets the client. */
  refuse({ reason, detail }: Refusal): void {
    this.add({ what: 'refused', connection: this.connection, reason, detail });
    this.link.removed(this);
  }

  /** @param id undefined if the command has no id, and so needs no answer */
  refuseCommand({ reason, detail }: Refusal, id: number | undefined): void {
    const { connection } = this;
    if (id !== undefined) this.add({ what: 'refused', connection, reason, detail, id });
    else this.send('rejected', { reason, ...(detail && { detail }) });
  }

  startStream(viewport: Viewport, { tier }: StreamStart): void {
    this.viewport = viewport;
    this.add({ what: 'stream', connection: this.connection, tier });
  }

  stopStream(): void {
    this.viewport = undefined;
    this.add({ what: 'stop', connection: this.connection });
  }

  leave(): void {
    this.session.leave();
    this.before?.session.leave();
  }

  private add(item: Exclude<FromRoom, { what: 'event' }>): void {
    this.link.send((batch) => batch.add(item));
  }
}

export class GatewayLink {
  /** When the gateway's last message arrived, in ms. */
  heardAt: number;
  private readonly clients = new Map<number, LinkedClient>();
  /** Connections that have received their welcome over this link. */
  private readonly present = new Set<number>();
  private readonly batch = new OutgoingBatch();
  /**
   * The part that all welcomes have in common, as last sent over this link. Later welcomes contain
   * only the fields that have changed.
   */
  private common: Partial<CommonWelcome> = {};
  private isWaiting = false;
  private isClosed = false;
  private sent = 0;
  private received = 0;

  constructor(
    readonly options: {
      readonly roomServer: RoomServer;
      /** See `LocalSession`. */
      readonly find: () => RoomServer;
      /**
       * Returns whether this server may show the room now. If not, another server may have taken
       * the room.
       */
      readonly isHere: () => boolean;
      readonly epoch: number;
      /** Name of the gateway. */
      readonly node: string;
      readonly publish: (message: Uint8Array) => void;
      /** Runs a function at the end of this turn of the event loop. */
      readonly defer: (run: () => void) => void;
      /** Current time, in ms. */
      readonly now: number;
    },
  ) {
    this.heardAt = options.now;
  }

  /** Number of connections on this link. */
  get size(): number {
    return this.clients.size;
  }

  /**
   * Handles a message from the gateway.
   *
   * @param before earlier link to the gateway, which this link replaces
   * @returns false if an earlier message is missing
   */
  receive({ number, items }: BatchToRoom, now: number, before?: GatewayLink): boolean {
    if (number !== this.received) return false;
    this.received++;
    this.heardAt = now;
    for (const item of items) this.take(item, before);
    return true;
  }

  /** Sends all pending items. If there are none, the empty message serves as a heartbeat. */
  beat(): void {
    if (this.isClosed) return;
    const { publish, epoch } = this.options;
    const items = this.batch.take(this.present);
    publish(encode({ epoch, number: this.sent++, items }));
  }

  /** Sends pending items, if any, unless another server may have taken the room. */
  flush(): void {
    if (!this.batch.isEmpty && this.options.isHere()) this.beat();
  }

  /** Closes the link. Participants leave as if their pages had lost the connection. */
  close(): void {
    // Send pending items if the room has ended any connections, because these must be notified. The
    // other connections wait for the room's next server.
    if (this.batch.hasEnd) this.beat();
    // Set this before the clients leave, so that nothing is sent about their leaving.
    this.isClosed = true;
    for (const client of this.clients.values()) client.leave();
    this.clients.clear();
  }

  /** Removes walls and spectators, so that they can take their seats again over another link. */
  closeWatchers(): void {
    for (const client of this.clients.values()) if (client.watches) this.end(client);
  }

  /** Adds items to the message that is sent at the end of this turn of the event loop. */
  send(add: (batch: OutgoingBatch) => void): void {
    if (this.isClosed) return;
    add(this.batch);
    if (this.isWaiting) return;
    this.isWaiting = true;
    this.options.defer(() => {
      this.isWaiting = false;
      this.flush();
    });
  }

  welcome(
    connection: number,
    name: 'welcome' | 'wall',
    common: CommonWelcome,
    personal: object,
  ): void {
    this.present.add(connection);
    this.send((batch) => {
      const opening = changed(this.common, common);
      this.common = common;
      batch.add({ what: 'welcome', connection, name, opening, own: { ...personal } });
    });
  }

  /** Forgets a client that the room has removed or refused. */
  removed(client: LinkedClient): void {
    if (this.clients.get(client.connection) !== client) return;
    client.entered();
    this.forget(client.connection);
  }

  private take(item: ToRoom, before?: GatewayLink): void {
    if (item.what === 'drawn') {
      for (const [connection, tick, frames] of item.clients) {
        const client = this.clients.get(connection);
        if (client) this.options.roomServer.acknowledge(client, tick, frames);
      }
      return;
    }
    if (item.what === 'cursors') {
      for (const packed of item.cursors) {
        const { id, ...cursor } = unpackPointer(packed);
        this.act(id, (session) => session.handle('cursor', cursor));
      }
      return;
    }
    const { connection } = item;
    if (item.what === 'join') {
      const { address, ...entry } = item.entry;
      const watches = entry.as !== undefined;
      const client = new LinkedClient(connection, address, watches, entry.ring, this);
      client.before = before?.handOver(connection);
      this.clients.set(connection, client);
      attempt(
        () => client.session.join(entry),
        (refusal) => client.refuse(refusal),
      );
    } else if (item.what === 'leave') {
      const client = this.clients.get(connection);
      if (client) this.end(client);
    } else {
      const { name, message } = item;
      const act = (session: LocalSession): void => {
        if (name === 'join' || isRingMessage(name)) throw new Refusal('already-joined');
        session.handle<MessageName>(name, parseCommand(name, message) as Command<MessageName>);
      };
      this.act(connection, act, readId(message));
    }
  }

  /**
   * Runs a client's command. If it throws a Refusal, sends the Refusal to the client.
   *
   * @param id id of the command
   */
  private act(connection: number, act: (session: LocalSession) => void, id?: number): void {
    const client = this.clients.get(connection);
    if (!client) return;
    attempt(
      () => act(client.session),
      (refusal) => client.refuseCommand(refusal, id),
    );
  }

  /**
   * Removes a connection from this link, and returns its client, so that the link that replaces
   * this one can take the client over.
   */
  private handOver(connection: number): LinkedClient | undefined {
    const client = this.clients.get(connection);
    this.forget(connection);
    if (!client?.before) return client;
    const { before } = client;
    // This client has not entered the room and never will, so hand over its earlier client, which
    // still represents the connection.
    client.before = undefined;
    client.session.leave();
    return before;
  }

  private end(client: LinkedClient): void {
    this.forget(client.connection);
    client.leave();
  }

  private forget(connection: number): void {
    this.clients.delete(connection);
    this.present.delete(connection);
  }
}

/** Returns the fields of `now` that are not identical in `before`. */
function changed(before: Partial<CommonWelcome>, now: CommonWelcome): Partial<CommonWelcome> {
  const entries = Object.entries(now) as [keyof CommonWelcome, unknown][];
  return Object.fromEntries(entries.filter(([name, value]) => before[name] !== value));
}

function attempt(work: () => void, refuse: (refusal: Refusal) => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(error);
  }
}
