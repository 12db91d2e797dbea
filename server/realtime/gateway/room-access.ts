/**
 * Gives the connections of gateways access to the rooms of this server, without opening any
 * sockets. `RoomAccesses` manages all rooms, and `RoomAccess` manages one room.
 */
import type { Bus, Subscription } from '../../cluster/bus/bus.ts';
import type { Clock } from '../../platform/clock.ts';
import type { RoomServer } from '../room-server.ts';
import { FramePublisher } from '../streaming/frame-publisher.ts';
import type { EncoderChannel } from '../streaming/room-encoders.ts';
import { GatewayLink } from './gateway-link.ts';
import {
  type BatchToRoom,
  beatChannel,
  decodeToRoom,
  encode,
  GATEWAY_TIMES,
  linkChannel,
  roomChannel,
} from './messages.ts';

const { beat, begin, silence } = GATEWAY_TIMES;

export class RoomAccess {
  private readonly links = new Map<string, GatewayLink>();
  private readonly publisher: FramePublisher;
  /** Subscription to the messages from gateways to the room; undefined if the bus is closed. */
  private readonly subscription: Promise<Subscription | undefined>;
  private isAnnounced = false;
  private cancel = (): void => {};
  private isClosed = false;

  /** Gives gateways access to a room, and announces the room to them. */
  constructor(
    private readonly options: {
      readonly roomServer: RoomServer;
      /**
       * Returns the room's server if this process may show the room.
       *
       * @throws Refusal elsewhere
       */
      readonly find: () => RoomServer;
      readonly bus: Bus;
      /** Epoch of the room's lease. */
      readonly epoch: number;
      readonly clock: Clock;
      /** Runs a function at the end of this turn of the event loop. */
      readonly defer?: (run: () => void) => void;
    },
  ) {
    const { bus, roomServer, epoch, clock } = options;
    const { encoders, room, signals } = roomServer;
    this.publisher = new FramePublisher({
      ...{ encoders, bus, room: room.name, epoch, clock },
      isHere: () => this.isHere,
    });
    this.subscription = bus
      .subscribe(roomChannel(room.name), (bytes) => this.receive(bytes))
      .catch(() => undefined);
    void Promise.all([this.subscription, this.publisher.opened]).then((opened) => {
      if (!this.isClosed && opened.every(Boolean)) this.beat();
    });
    signals.on('events-sent', this.flushLinks);
    signals.on('frames-encoded', this.publishFrames);
  }

  /** For each gateway name, the number of connections that the gateway has in the room. */
  get connections(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { options, size } of this.links.values()) {
      if (size > 0) counts.set(options.node, (counts.get(options.node) ?? 0) + size);
    }
    return counts;
  }

  /**
   * Ends the access, because the room no longer runs here. The room's connections wait for its next
   * server.
   */
  close(): void {
    this.isClosed = true;
    this.cancel();
    const { signals } = this.options.roomServer;
    signals.off('events-sent', this.flushLinks);
    signals.off('frames-encoded', this.publishFrames);
    this.publisher.close();
    void this.subscription.then((subscription) => subscription?.close());
    for (const link of this.links.values()) link.close();
    this.links.clear();
  }

  private get now(): number {
    return this.options.clock.now();
  }

  /** Whether this server may show the room now. If not, another server may have taken the room. */
  private get isHere(): boolean {
    try {
      return this.options.find() === this.options.roomServer;
    } catch {
      return false;
    }
  }

  private readonly flushLinks = (): void => {
    for (const link of this.links.values()) link.flush();
  };

  private readonly publishFrames = (channels: readonly EncoderChannel[]): void => {
    this.publisher.publish(channels);
  };

  private readonly beat = (): void => {
    const { bus, clock, epoch, roomServer } = this.options;
    this.cancel = clock.after(this.isHere ? beat : begin, this.beat);
    if (!this.isHere) return;
    if (!this.isAnnounced) this.publisher.announce();
    this.isAnnounced = true;
    bus.publish(beatChannel(roomServer.room.name), encode({ epoch }));
    for (const [name, link] of this.links) {
      if (this.now - link.heardAt < silence) link.beat();
      else this.drop(name, link);
    }
  };

  private receive(bytes: Uint8Array): void {
    // Messages can be ignored here, because a gap in the numbers of later messages shows that one
    // is missing.
    if (this.isClosed || !this.isHere) return;
    const message = decodeToRoom(bytes);
    if (!message) return;
    const { link: name, opening } = message;
    const link = this.links.get(name);
    if (link) {
      // If a message is missing, the clients of this link keep their seats until a new link
      // replaces it.
      if (!link.receive(message, this.now)) this.sayLost(name);
    } else if (opening && message.number === 0) this.accept(message, opening);
    else this.sayLost(name);
  }

  private accept(message: BatchToRoom, { node, replaces }: NonNullable<BatchToRoom['opening']>) {
    const { roomServer, find, bus, epoch, defer = process.nextTick } = this.options;
    const known = replaces.find((name) => this.links.has(name));
    const before = known === undefined ? undefined : this.links.get(known);
    const link = new GatewayLink({
      ...{ roomServer, find, epoch, node, defer, now: this.now },
      isHere: () => this.isHere,
      publish: (bytes) => bus.publish(linkChannel(message.link), bytes),
    });
    this.links.set(message.link, link);
    before?.closeWatchers();
    // Participants on the earlier link, including those in the queue, hand over their seats to
    // their new joins.
    link.receive(message, this.now, before);
    link.beat();
    if (!before || known === undefined) return;
    this.links.delete(known);
    before.close();
  }

  private drop(name: string, link: GatewayLink): void {
    this.links.delete(name);
    link.close();
    this.sayLost(name);
  }

  private sayLost(name: string): void {
    this.options.bus.publish(linkChannel(name), encode({ lost: true }));
  }
}

export class RoomAccesses {
  private readonly opened = new Map<RoomServer, RoomAccess>();

  constructor(
    private readonly options: {
      readonly bus: Bus;
      readonly clock: Clock;
      /** @throws Refusal no-such-room, room-closed, elsewhere */
      readonly findServer: (room: string) => RoomServer;
      /**
       * Returns the epoch of this process's lease on a room; undefined if this process has no
       * lease.
       */
      readonly epochOf: (room: string) => number | undefined;
    },
  ) {}

  /** Gives gateways access to a room that this server has begun to run. */
  open(roomServer: RoomServer): void {
    const { bus, clock, findServer, epochOf } = this.options;
    const { name } = roomServer.room;
    const epoch = epochOf(name);
    // Without an epoch, the lease has ended while the room was being opened, so do not give access.
    if (epoch === undefined) return;
    const find = () => findServer(name);
    this.opened.set(roomServer, new RoomAccess({ roomServer, find, bus, epoch, clock }));
  }

  /** Ends the access to a room that no longer runs here. */
  close(roomServer: RoomServer): void {
    this.opened.get(roomServer)?.close();
    this.opened.delete(roomServer);
  }

  closeAll(): void {
    for (const roomServer of [...this.opened.keys()]) this.close(roomServer);
  }

  /** For each room name, a map from gateway name to the number of connections. */
  get connections(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return new Map(
      [...this.opened].map(([{ room }, access]) => [room.name, access.connections] as const),
    );
  }
}
