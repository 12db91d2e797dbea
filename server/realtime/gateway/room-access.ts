/**
 * Lets pages that are connected to other servers (gateways) join the rooms of this server. To a
 * room, each of these pages is a `RoomClient`. The gateway builds the page's frames. Start reading
 * at `RoomAccess.receive`.
 */
import { promisify } from 'node:util';
import { constants, deflate } from 'node:zlib';
import { FRAME_VERSION } from '../../../shared/codec/frame.ts';
import type { Command } from '../../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import { unpackPointer } from '../../../shared/protocol/pointers.ts';
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import { type Bus, decodeMessage, encodeMessage } from '../../cluster/bus/bus.ts';
import type { Clock } from '../../platform/clock.ts';
import {
  isRingMessage,
  LocalSession,
  type MessageName,
  parseCommand,
  readId,
} from '../commands/client-messages.ts';
import type { RoomServer } from '../room-server.ts';
import {
  type CommonWelcome,
  type PersonalWelcome,
  type RoomClient,
  rejectionOf,
} from '../sessions/room-client.ts';
import type { RemoteViewer } from '../streaming/room-broadcaster.ts';
import { type EncoderChannel, keyOf, type RoomEncoders } from '../streaming/room-encoders.ts';
import type { StreamStart, Viewport } from '../streaming/viewer-stream.ts';
import {
  type BatchFromRoom,
  type BatchToRoom,
  batchToRoom,
  busChannels,
  type FromRoom,
  GATEWAY_TIMES,
  type Item,
  LOST,
  type News,
  OutgoingBatch,
  type Round,
  type ToRoom,
} from './messages.ts';

const { beat, begin, silence } = GATEWAY_TIMES;

const compress = promisify(deflate);

/**
 * Tracks the channels that the viewers of one gateway use. A channel is a pair of tier and scale.
 */
export class GatewayChannels {
  /** Channels by key (see `keyOf`). A channel stays for a while after its last viewer has left. */
  private readonly used = new Map<
    string,
    { readonly user: ReturnType<typeof createUser>; readonly channel: EncoderChannel }
  >();

  constructor(
    private readonly encoders: RoomEncoders,
    private readonly sendBaseline: (baseline: Item<'baseline'>) => void,
  ) {}

  get channels(): EncoderChannel[] {
    return [...this.used.values()].map(({ channel }) => channel);
  }

  /**
   * Replaces the list of channels whose updates the gateway needs.
   *
   * @param wants all channels that the gateway's viewers use or, if `isUsed` is false, have
   *   recently stopped using
   */
  update(wants: Item<'wants'>['channels']): void {
    const gone = new Map(this.used);
    for (const { isUsed, mayReceive, chunks, asks, ...name } of wants) {
      const key = keyOf(name);
      gone.delete(key);
      const user = this.used.get(key)?.user ?? createUser();
      if (!isUsed) {
        this.encoders.leave(name, user);
        continue;
      }
      const channel = this.encoders.use(name, user);
      this.used.set(key, { user, channel });
      Object.assign(user, { mayReceive, lists: [chunks] });
      if (asks) void this.copy(channel);
    }
    for (const [key, { user, channel }] of gone) {
      this.used.delete(key);
      this.encoders.leave(channel, user);
    }
  }

  private async copy(channel: EncoderChannel): Promise<void> {
    const name = roundName(channel);
    const { tick } = this.encoders;
    // Compress in another thread, because compressing a large room takes longer than a tick.
    const cells = await compress(channel.encoder.copy(), { level: constants.Z_BEST_SPEED });
    this.sendBaseline({ what: 'baseline', ...name, tick, cells });
  }
}

/**
 * Creates the single `ChannelUser` that stands for all of a gateway's viewers of one channel.
 * `useSource` does nothing, because the gateway builds frames from its own copy of the cells.
 */
const createUser = () => ({
  mayReceive: false,
  lists: [] as readonly (readonly number[])[],
  useSource: () => {},
});

const roundName = ({ tier, scale, generation, encoder: { round } }: EncoderChannel) =>
  ({ tier, scale, version: FRAME_VERSION, generation, round }) as const;

/**
 * Collects a tick's encoded changes of all channels that gateways use.
 *
 * @param encoded channels that have been encoded in this tick
 * @returns undefined if no gateway uses any channel
 */
export function framesFor(
  gateways: Iterable<GatewayChannels>,
  encoded: readonly EncoderChannel[],
  tick: number,
): News['frames'] {
  const used = new Set([...gateways].flatMap(({ channels }) => channels));
  if (used.size === 0) return undefined;
  const rounds = encoded
    .filter((channel) => used.has(channel))
    .map((channel): Round => {
      const { encoder } = channel;
      const deltas = [...encoder.changed].map((chunk): Round['deltas'][number] => {
        return [chunk, encoder.version(chunk), encoder.delta(chunk)!];
      });
      return { ...roundName(channel), deltas };
    });
  return { tick, rounds };
}

/** A page that is connected to a gateway, as a client of a room on this server. */
class LinkedClient implements RoomClient, RemoteViewer {
  /**
   * Always true: the gateway sends the frames, and waits if the client's connection can take no
   * more.
   */
  readonly writable = true;
  viewport: Viewport | undefined;
  readonly connection = this.joined.connection;
  readonly address = this.joined.entry.address;
  readonly ring = this.joined.entry.ring;
  readonly session = new LocalSession(this.link.access.find, this);

  /** @param link link to the client's gateway; replaced if the gateway opens a new link */
  constructor(
    public link: GatewayLink,
    private readonly joined: Item<'join'>,
  ) {}

  send<N extends EventName>(event: N, message: Event<N>): void {
    this.link.sendEvent(this.connection, event, message);
  }

  sendWelcome<N extends 'welcome' | 'wall'>(
    event: N,
    common: CommonWelcome,
    personal: PersonalWelcome<N>,
  ): void {
    this.link.sendWelcome(this.connection, event, common, { ...personal });
  }

  /** Does nothing, because the gateway builds and sends the frames. */
  sendFrame(): void {}

  disconnect(reason: Reason): void {
    // If another server now runs the room, send no `end`. The gateway then joins the client to the
    // room on that server.
    if (reason !== 'elsewhere') {
      this.link.send({ what: 'end', connection: this.connection, reason });
    }
    this.link.removed(this);
  }

  entered(): void {}

  /** Refuses the client's request to join, and forgets the client. */
  refuse({ reason, detail }: Refusal): void {
    this.link.send({ what: 'refused', connection: this.connection, reason, detail });
    this.link.removed(this);
  }

  /** Tells the client that its command was refused. @param id id of the command, if it has one */
  refuseCommand(refusal: Refusal, id: number | undefined): void {
    const { connection } = this;
    const { reason, detail } = refusal;
    if (id !== undefined) this.link.send({ what: 'refused', connection, reason, detail, id });
    else this.send('rejected', rejectionOf(refusal));
  }

  startStream(viewport: Viewport, { tier }: StreamStart): void {
    this.viewport = viewport;
    this.link.send({ what: 'stream', connection: this.connection, tier });
  }

  stopStream(): void {
    this.viewport = undefined;
    this.link.send({ what: 'stop', connection: this.connection });
  }
}

/** The room's side of the link to a gateway. */
class GatewayLink {
  /** When the gateway's last message arrived, in ms. */
  heardAt = this.access.clock.now();
  readonly channels = new GatewayChannels(this.access.roomServer.encoders, (baseline) =>
    this.send(baseline),
  );
  readonly clients = new Map<number, LinkedClient>();
  /** Connections that have received their welcome message over this link. */
  private readonly present = new Set<number>();
  private readonly batch = new OutgoingBatch();
  /**
   * The fields common to all welcome messages, as last sent over this link. Later welcome messages
   * contain only common fields that have changed.
   */
  private common: Partial<CommonWelcome> = {};
  private isWaiting = false;
  private isClosed = false;
  private sent = 0;
  private received = 0;

  /** @param earlier clients of the previous link, if any. They keep their seats if they rejoin */
  constructor(
    readonly access: RoomAccess,
    private readonly gateway: string,
    readonly name: string,
    private readonly earlier: Map<number, LinkedClient> | undefined,
  ) {}

  get size(): number {
    return this.clients.size;
  }

  /** Handles a message from the gateway. @returns false if an earlier message is missing */
  receive({ number, items }: BatchToRoom): boolean {
    if (number !== this.received) return false;
    this.received++;
    this.heardAt = this.access.clock.now();
    for (const item of items) this.take(item);
    return true;
  }

  /** Sends all waiting items. If no item is waiting, sends an empty message as a heartbeat. */
  beat(): void {
    if (this.isClosed) return;
    const items = this.batch.take(this.present);
    this.access.publish(this.gateway, { link: this.name, number: this.sent++, items });
  }

  /** Sends waiting items, if any. Sends nothing if this server may no longer serve the room. */
  flush(): void {
    if (!this.batch.isEmpty && this.access.isHere) this.beat();
  }

  /**
   * Closes the link. The participants lose their connections to the room, but their seats stay
   * reserved for a while.
   */
  close(): void {
    // If the room has disconnected any clients, tell the gateway before the link closes.
    if (this.batch.hasEnd) this.beat();
    // Set `isClosed` first, so that nothing is sent to the gateway when the clients leave.
    this.isClosed = true;
    for (const { session } of this.clients.values()) session.leave();
    this.clients.clear();
    this.channels.update([]);
  }

  sendEvent(connection: number, name: EventName, message: unknown): void {
    if (this.isClosed) return;
    this.batch.event(connection, name, message);
    this.flushLater();
  }

  send(item: Exclude<FromRoom, { what: 'event' }>): void {
    if (this.isClosed) return;
    this.batch.add(item);
    this.flushLater();
  }

  sendWelcome(
    connection: number,
    name: 'welcome' | 'wall',
    common: CommonWelcome,
    own: Record<string, unknown>,
  ): void {
    this.present.add(connection);
    const opening = changed(this.common, common);
    this.common = common;
    this.send({ what: 'welcome', connection, name, opening, own });
  }

  /** Forgets a client that the room has removed or refused. */
  removed(client: LinkedClient): void {
    this.clients.delete(client.connection);
    this.present.delete(client.connection);
  }

  private flushLater(): void {
    if (this.isWaiting) return;
    this.isWaiting = true;
    this.access.defer(() => {
      this.isWaiting = false;
      this.flush();
    });
  }

  private take(item: ToRoom): void {
    if (item.what === 'join') this.join(item);
    else if (item.what === 'wants') this.channels.update(item.channels);
    else if (item.what === 'leave') {
      const client = this.clients.get(item.connection);
      if (!client) return;
      this.removed(client);
      client.session.leave();
    } else if (item.what === 'drawn') {
      for (const [connection, tick, frames] of item.clients) {
        const client = this.clients.get(connection);
        if (client) this.access.roomServer.acknowledge(client, tick, frames);
      }
    } else if (item.what === 'cursors') {
      for (const packed of item.cursors) {
        const { id, ...cursor } = unpackPointer(packed);
        this.act(id, (session) => session.handle('cursor', cursor));
      }
    } else {
      const { connection, name, message } = item;
      const act = (session: LocalSession): void => {
        if (name === 'join' || isRingMessage(name)) throw new Refusal('already-joined');
        session.handle<MessageName>(name, parseCommand(name, message) as Command<MessageName>);
      };
      this.act(connection, act, readId(message));
    }
  }

  private join(item: Item<'join'>): void {
    const { connection } = item;
    const known = this.earlier?.get(connection);
    const client = known ?? new LinkedClient(this, item);
    this.clients.set(connection, client);
    if (known) {
      // The client still has its seat from the previous link. Messages to the client may have been
      // lost, so send it a new welcome message.
      this.earlier!.delete(connection);
      client.link = this;
      client.session.renew();
      return;
    }
    const { address: _, ...entry } = item.entry;
    attempt(
      () => client.session.join(entry),
      (refusal) => client.refuse(refusal),
    );
  }

  /**
   * Executes a client's command. If the command is refused, sends the client the refusal.
   *
   * @param act executes the command in the client's session
   * @param id id of the command, if it has one
   */
  private act(connection: number, act: (session: LocalSession) => void, id?: number): void {
    const client = this.clients.get(connection);
    if (!client) return;
    attempt(
      () => act(client.session),
      (refusal) => client.refuseCommand(refusal, id),
    );
  }
}

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

/** Connects one room with all gateways that have visitors in it. */
export class RoomAccess {
  readonly roomServer = this.options.roomServer;
  readonly clock = this.options.clock;
  readonly find = this.options.find;
  /** Runs a function at the end of this turn of the event loop. */
  readonly defer = this.options.defer ?? process.nextTick;
  private readonly links = new Map<string, GatewayLink>();
  private readonly channels = busChannels(this.roomServer.room.name);
  /** Resolves to undefined if the bus is closed. */
  private readonly subscription = this.options.bus
    .subscribe(this.channels.toRoom, (bytes) => this.receive(bytes))
    .catch(() => undefined);
  private cancel = (): void => {};
  private isClosed = false;

  constructor(
    private readonly options: {
      readonly roomServer: RoomServer;
      /**
       * Returns the current `RoomServer` of the room.
       *
       * @throws Refusal `elsewhere` if another server may be running the room
       */
      readonly find: () => RoomServer;
      readonly bus: Bus;
      /** Epoch of the room's lease: the number of leaders that the room has had. */
      readonly epoch: number;
      readonly clock: Clock;
      readonly defer?: (run: () => void) => void;
    },
  ) {
    void this.subscription.then((subscription) => {
      if (subscription && !this.isClosed) this.beat();
    });
    this.roomServer.signals.on('events-sent', this.flushLinks);
    this.roomServer.signals.on('frames-encoded', this.publishFrames);
  }

  /**
   * Number of connections in the room, by gateway name. Gateways without connections are omitted.
   */
  get connections(): ReadonlyMap<string, number> {
    const sizes = [...this.links].map(([gateway, { size }]) => [gateway, size] as const);
    return new Map(sizes.filter(([, size]) => size > 0));
  }

  /** Closes all links. Call when this server has stopped running the room. */
  close(): void {
    this.isClosed = true;
    this.cancel();
    void this.subscription.then((subscription) => subscription?.close());
    this.roomServer.signals.off('events-sent', this.flushLinks);
    this.roomServer.signals.off('frames-encoded', this.publishFrames);
    for (const link of this.links.values()) link.close();
    this.links.clear();
  }

  /** Whether this server may still serve the room. */
  get isHere(): boolean {
    try {
      return this.find() === this.roomServer;
    } catch {
      return false;
    }
  }

  publish(gateway: string, batch: Omit<BatchFromRoom, 'epoch'>): void {
    const { bus, epoch } = this.options;
    bus.publish(this.channels.to(gateway), encodeMessage({ epoch, ...batch }));
  }

  private publishNews(frames?: News['frames']): void {
    const { bus, epoch } = this.options;
    bus.publish(this.channels.news, encodeMessage({ epoch, ...(frames && { frames }) }));
  }

  private readonly flushLinks = (): void => {
    for (const link of this.links.values()) link.flush();
  };

  private readonly publishFrames = (encoded: readonly EncoderChannel[]): void => {
    const gateways = [...this.links.values()].map(({ channels }) => channels);
    const frames = framesFor(gateways, encoded, this.roomServer.encoders.tick);
    if (frames) this.publishNews(frames);
  };

  private readonly beat = (): void => {
    this.cancel = this.clock.after(this.isHere ? beat : begin, this.beat);
    if (!this.isHere) return;
    this.publishNews();
    for (const [gateway, link] of this.links) {
      if (this.clock.now() - link.heardAt < silence) {
        link.beat();
        continue;
      }
      this.links.delete(gateway);
      link.close();
      this.sayLost(gateway, link.name);
    }
  };

  private receive(bytes: Uint8Array): void {
    // If this server cannot serve the room now, ignore the message. The number of the next message
    // will show that a message is missing.
    if (this.isClosed || !this.isHere) return;
    const message = decodeMessage(batchToRoom, bytes);
    if (!message) return;
    const { gateway, link: name, number } = message;
    const link = this.links.get(gateway);
    if (number === 0) this.accept(message, link);
    // Earlier messages are missing, so make the gateway open a new link. Until then, the clients of
    // the old link stay in the room.
    else if (link?.name !== name || !link.receive(message)) this.sayLost(gateway, name);
  }

  private accept(message: BatchToRoom, before: GatewayLink | undefined): void {
    const link = new GatewayLink(this, message.gateway, message.link, before?.clients);
    this.links.set(message.gateway, link);
    link.receive(message);
    link.beat();
    before?.close();
  }

  private sayLost(gateway: string, link: string): void {
    this.publish(gateway, { link, number: LOST, items: [] });
  }
}

type RoomAccessOptions = ConstructorParameters<typeof RoomAccess>[0];

/** Connects all rooms that run on this server with the gateways. */
export class RoomAccesses {
  private readonly opened = new Map<RoomServer, RoomAccess>();

  constructor(
    private readonly options: Pick<RoomAccessOptions, 'bus' | 'clock'> & {
      /**
       * Returns the `RoomServer` of a room.
       *
       * @throws Refusal `no-such-room`, `room-closed`, or `elsewhere` if another server may be
       *   running the room
       */
      readonly findServer: (room: string) => RoomServer;
      /**
       * Returns the epoch (number of leaders so far) of this process's lease on a room; undefined
       * if there is no lease.
       */
      readonly epochOf: (room: string) => number | undefined;
    },
  ) {}

  /** Lets gateways connect to a room that has just started on this server. */
  open(roomServer: RoomServer): void {
    const { bus, clock, findServer, epochOf } = this.options;
    const { name } = roomServer.room;
    const epoch = epochOf(name);
    // The lease ended while the room was being opened, so another server may now run the room.
    if (epoch === undefined) return;
    const find = () => findServer(name);
    this.opened.set(roomServer, new RoomAccess({ roomServer, find, bus, epoch, clock }));
  }

  /** Closes all gateways' links to a room that no longer runs on this server. */
  close(roomServer: RoomServer): void {
    this.opened.get(roomServer)?.close();
    this.opened.delete(roomServer);
  }

  closeAll(): void {
    for (const roomServer of [...this.opened.keys()]) this.close(roomServer);
  }

  /** Number of connections in each room, by room name and gateway name. */
  get connections(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return new Map(
      [...this.opened].map(([{ room }, access]) => [room.name, access.connections] as const),
    );
  }
}
