/**
 * A room's side of the connections that another server has to it. Each of them is a `RoomClient` of
 * the room, whose frames the other server makes. Start at `GatewayLink.receive`.
 */
import type { Command } from '../../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import { unpackPointer } from '../../../shared/protocol/pointers.ts';
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import { type MessageName, parseCommand, readId } from '../commands/client-messages.ts';
import type { RoomServer } from '../room-server.ts';
import { LocalSession } from '../sessions/local-session.ts';
import type { CommonWelcome, PersonalWelcome, RoomClient } from '../sessions/room-client.ts';
import type { RemoteViewer } from '../streaming/room-broadcaster.ts';
import type { StreamStart, Viewport } from '../streaming/viewer-stream.ts';
import { type BatchToRoom, encode, type FromRoom, OutgoingBatch, type ToRoom } from './messages.ts';

/** A connection to another server, as the server of its room knows it. */
class LinkedClient implements RoomClient, RemoteViewer {
  /** Always, as the other server sends its frames. */
  readonly writable = true;
  viewport: Viewport | undefined;
  /** The same connection over an earlier link, which stays in the room until this one has entered. */
  before: LinkedClient | undefined;
  readonly session: LocalSession;

  constructor(
    readonly connection: number,
    readonly address: string,
    /** It is a wall or a spectator. */
    readonly watches: boolean,
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

  /** Its own server makes its frames. */
  sendFrame(): void {}

  disconnect(reason: Reason): void {
    // If the room has gone elsewhere, its connections follow by themselves.
    if (reason !== 'elsewhere') this.add({ what: 'end', connection: this.connection, reason });
    this.link.removed(this);
  }

  /** Its join is decided: it leaves over the earlier link. */
  entered(): void {
    const { before } = this;
    this.before = undefined;
    before?.session.leave();
  }

  /** Refuses its join: the room does not know it any more. */
  refuse({ reason, detail }: Refusal): void {
    this.add({ what: 'refused', connection: this.connection, reason, detail });
    this.link.removed(this);
  }

  /** @param id undefined: the command has none, and nobody waits for its answer */
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
  /** When the other server was last heard, ms. */
  heardAt: number;
  private readonly clients = new Map<number, LinkedClient>();
  /** Connections that have been welcomed. */
  private readonly present = new Set<number>();
  private readonly batch = new OutgoingBatch();
  /** The common part of welcomes, as it went over the link last. */
  private common: Partial<CommonWelcome> = {};
  private isWaiting = false;
  private isClosed = false;
  private sent = 0;
  private received = 0;

  constructor(
    readonly options: {
      readonly roomServer: RoomServer;
      /** As for `LocalSession`. */
      readonly find: () => RoomServer;
      /** Whether the room may be shown here now: another server may have it. */
      readonly isHere: () => boolean;
      readonly epoch: number;
      /** Names the server of the connections. */
      readonly node: string;
      readonly publish: (message: Uint8Array) => void;
      /** Runs a function at the end of this turn. */
      readonly defer: (run: () => void) => void;
      /** ms */
      readonly now: number;
    },
  ) {
    this.heardAt = options.now;
  }

  /** Number of connections. */
  get size(): number {
    return this.clients.size;
  }

  /**
   * @param before the link of the same connections that this one replaces
   * @returns false if a message is missing before this one
   */
  receive({ number, items }: BatchToRoom, now: number, before?: GatewayLink): boolean {
    if (number !== this.received) return false;
    this.received++;
    this.heardAt = now;
    for (const item of items) this.take(item, before);
    return true;
  }

  /** Sends a message, even an empty one. */
  beat(): void {
    if (this.isClosed) return;
    const { publish, epoch } = this.options;
    const items = this.batch.take(this.present);
    publish(encode({ epoch, number: this.sent++, items }));
  }

  /** Sends what waits for the end of the turn, while the room may be shown here. */
  flush(): void {
    if (!this.batch.isEmpty && this.options.isHere()) this.beat();
  }

  /** The connections are lost: their participants leave, as when a page loses its own. */
  close(): void {
    // Connections that the room has ended must learn so. The others wait for where it goes on.
    if (this.batch.hasEnd) this.beat();
    // From here on, nothing is sent.
    this.isClosed = true;
    for (const client of this.clients.values()) client.leave();
    this.clients.clear();
  }

  /** Walls and spectators leave, so that they can take their places over another link. */
  closeWatchers(): void {
    for (const client of this.clients.values()) if (client.watches) this.end(client);
  }

  /** Adds to the message that is sent at the end of this turn. */
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

  /** The room has removed a client, or refused its join. */
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
      const client = new LinkedClient(connection, address, entry.as !== undefined, this);
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
        if (name === 'join') throw new Refusal('already-joined');
        session.handle<MessageName>(name, parseCommand(name, message) as Command<MessageName>);
      };
      this.act(connection, act, readId(message));
    }
  }

  /** Lets a client do something, or refuses it. @param id of the command */
  private act(connection: number, act: (session: LocalSession) => void, id?: number): void {
    const client = this.clients.get(connection);
    if (!client) return;
    attempt(
      () => act(client.session),
      (refusal) => client.refuseCommand(refusal, id),
    );
  }

  /** Gives a connection to the link that replaces this one. */
  private handOver(connection: number): LinkedClient | undefined {
    const client = this.clients.get(connection);
    this.forget(connection);
    if (!client?.before) return client;
    const { before } = client;
    // It has not entered itself yet, and will not.
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

/** The fields that are not the same object as before. */
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
