/**
 * Rooms that run on other servers, as seen by the connections of this server. If messages are lost
 * or another server takes a room, all connections join the room again, and their pages notice only
 * a pause. This module does not know a room's state. Start at `RemoteRoom.hear`.
 */
import { randomUUID } from 'node:crypto';
import { chunkCount } from '../../../shared/codec/chunks.ts';
import type { Command } from '../../../shared/protocol/commands.ts';
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import type { Bus, Subscription } from '../../cluster/bus/bus.ts';
import type { Clock } from '../../platform/clock.ts';
import { getOrAdd } from '../../platform/collections.ts';
import type { MessageName } from '../commands/client-messages.ts';
import type { RoomSession } from '../sessions/local-session.ts';
import { type CommonWelcome, type RoomClient, welcomeOf } from '../sessions/room-client.ts';
import { RemoteFrames, type RemoteFramesOptions } from '../streaming/remote-frames.ts';
import { RoomBroadcaster } from '../streaming/room-broadcaster.ts';
import { fullViewport, type StreamStart, type Viewport } from '../streaming/viewer-stream.ts';
import {
  type BatchToRoom,
  beatChannel,
  decodeBeat,
  decodeFromRoom,
  encode,
  type FromRoom,
  GATEWAY_TIMES,
  linkChannel,
  MAX_REPLACED,
  roomChannel,
  type ToRoom,
} from './messages.ts';
import { GatheredReports, RemoteSession, type SessionRoom } from './remote-session.ts';

const { beat, silence, look, again } = GATEWAY_TIMES;

type FrameMaker = Pick<
  RoomBroadcaster,
  'add' | 'remove' | 'setViewport' | 'acknowledge' | 'resync' | 'close'
>;

/** Makes a room's frames for the viewers of this server. */
export function openFrames(options: Omit<RemoteFramesOptions, 'onTick'>): RoomBroadcaster {
  const feed = new RemoteFrames({ ...options, onTick: (now) => broadcaster.publish(now) });
  const broadcaster = new RoomBroadcaster(feed);
  return broadcaster;
}

interface RemoteRoomOptions {
  readonly room: string;
  readonly bus: Bus;
  readonly clock: Clock;
  /** Name of this server. */
  readonly node: string;
  /** Returns a name that is unique among all links. */
  readonly newLink: () => string;
  readonly openFrames: (...options: Parameters<typeof openFrames>) => FrameMaker;
  /**
   * Returns why no server is running the room, as far as this server knows. Returns undefined if a
   * server should be running it.
   */
  readonly whyOver?: () => Reason | undefined;
  /** Runs a function at the end of this turn of the event loop. */
  readonly defer?: (run: () => void) => void;
}

/** Creates the state of one link to the room. */
const createLink = (name: string, openedAt: number) => ({
  name,
  /** When the link was opened, in ms. */
  openedAt,
  /** Undefined until the link's channel is open. Nothing is sent before that. */
  subscription: undefined as Subscription | undefined,
  /** Items to send at the end of this turn of the event loop. */
  items: [] as ToRoom[],
  sent: 0,
  received: 0,
  /** The part that all welcomes have in common, as received over this link so far. */
  common: {} as Partial<CommonWelcome>,
  /**
   * Epoch of the leader that answers over this link; undefined before the leader's first message.
   */
  epoch: undefined as number | undefined,
});

export class RemoteRoom implements SessionRoom {
  private readonly sessions = new Map<number, RemoteSession>();
  private frames: FrameMaker | undefined;
  /** Size of the room that `frames` was opened for. */
  private framesSize: RemoteSession['size'];
  /** Viewport of each session that has a stream; undefined while its page is hidden. */
  private readonly views = new Map<RemoteSession, Viewport | undefined>();
  /** Sessions whose new viewport has not been sent to the room yet. */
  private readonly looked = new Set<RemoteSession>();
  private readonly reports: GatheredReports;
  private isWaiting = false;
  private link: ReturnType<typeof createLink>;
  /** Names of earlier links, starting with the last link that a leader has answered. */
  private replaced: string[] = [];
  /** Highest epoch of any leader heard so far. */
  private latestEpoch = 0;
  private heardAt: number;
  private readonly subscriptions: Subscription[] = [];
  private readonly cancels: (() => void)[] = [];
  private isClosed = false;

  private readonly handlers: {
    readonly [N in MessageName]?: (session: RemoteSession, message: Command<N>) => void;
  } = {
    look: (session, message) => {
      if (!this.views.has(session)) return;
      const viewport = message.hidden ? undefined : message;
      this.views.set(session, viewport);
      this.looked.add(session);
      this.frames?.setViewport(session.client, viewport, this.now);
    },
    received: (session, { tick }) => {
      this.frames?.acknowledge(session.client, tick, this.now);
      // Report this frame to the room, because the report also shows that the page has its resume
      // token.
      if (session.isPresent) this.reports.draw(session.connection, tick);
    },
    resync: ({ client }, { chunks }) => this.frames?.resync(client, chunks),
    cursor: ({ connection, isPresent }, cursor) => {
      if (isPresent) this.reports.moveCursor(connection, cursor);
    },
  };

  constructor(private readonly options: RemoteRoomOptions) {
    const { bus, clock, room } = options;
    this.heardAt = clock.now();
    this.reports = new GatheredReports(clock, (item) => this.send(item));
    const every = (time: number, run: () => void): void => {
      const place = this.cancels.length;
      const again = (): void => {
        this.cancels[place] = clock.after(time, again);
        run();
      };
      this.cancels.push(clock.after(time, again));
    };
    every(beat, () => this.beat());
    every(look, () => this.tellViews());
    this.subscriptions.push(bus.onGap(() => this.relink()));
    void this.subscribe(beatChannel(room), (bytes) => this.hearBeat(bytes)).then((beats) => {
      if (this.isClosed) beats?.close();
      else if (beats) this.subscriptions.push(beats);
    });
    this.link = this.openLink();
  }

  /** Number of connections in the room. */
  get size(): number {
    return this.sessions.size;
  }

  /** Whether the link was opened less than `silence` ms ago. */
  get isFresh(): boolean {
    return this.now - this.link.openedAt < silence;
  }

  /** Whether no leader has been heard for `silence` ms. */
  get isOrphaned(): boolean {
    return this.now - this.heardAt >= silence;
  }

  add(session: RemoteSession): void {
    if (this.isOrphaned) throw new Refusal('elsewhere', this.options.room);
    session.joinedAt = this.now;
    this.sessions.set(session.connection, session);
    // If the link is not open yet, do not send the join now, because the opening message will
    // contain all joins.
    if (this.link.subscription) this.send(session.joinItem);
  }

  remove(session: RemoteSession): void {
    this.sessions.delete(session.connection);
    this.endStream(session);
  }

  send(item: ToRoom): void {
    if (!this.link.subscription) return;
    this.link.items.push(item);
    if (this.isWaiting) return;
    this.isWaiting = true;
    (this.options.defer ?? process.nextTick)(() => {
      this.isWaiting = false;
      if (this.link.items.length > 0) this.flush();
    });
  }

  handle<N extends MessageName>(session: RemoteSession, name: N, message: Command<N>): boolean {
    const handle = this.handlers[name];
    handle?.(session, message);
    return handle !== undefined;
  }

  close(): void {
    this.isClosed = true;
    this.reports.clear();
    if (this.link.items.length > 0) this.flush();
    for (const cancel of this.cancels) cancel();
    for (const subscription of this.subscriptions) subscription.close();
    this.link.subscription?.close();
    this.frames?.close();
  }

  private get now(): number {
    return this.options.clock.now();
  }

  /** @returns undefined if the bus is closed */
  private subscribe(
    channel: string,
    listener: (bytes: Uint8Array) => void,
  ): Promise<Subscription | undefined> {
    return this.options.bus.subscribe(channel, listener).catch(() => undefined);
  }

  /** Makes all connections join again over a new link. */
  private relink(): void {
    if (this.isClosed) return;
    // Name only the latest links, because the leader has dropped older ones after a long silence.
    this.replaced = [...this.replaced, this.link.name].slice(-MAX_REPLACED);
    this.link.subscription?.close();
    this.reports.clear();
    for (const session of this.sessions.values()) session.rejoins();
    this.link = this.openLink();
  }

  private openLink() {
    const link = createLink(this.options.newLink(), this.now);
    void this.subscribe(linkChannel(link.name), (bytes) => this.hear(link.name, bytes)).then(
      (subscription) => {
        if (this.isClosed || this.link !== link) {
          subscription?.close();
          return;
        }
        link.subscription = subscription;
        link.items = [...this.sessions.values()].map(({ joinItem }) => joinItem);
        this.flush({ node: this.options.node, replaces: this.replaced });
      },
    );
    return link;
  }

  private flush(opening?: BatchToRoom['opening']): void {
    const { link, options } = this;
    const { name, items } = link;
    link.items = [];
    const message = { link: name, number: link.sent++, items, ...(opening && { opening }) };
    options.bus.publish(roomChannel(options.room), encode(message));
  }

  private hearBeat(bytes: Uint8Array): void {
    const heard = decodeBeat(bytes);
    // Ignore a former leader, which may still send heartbeats after it has lost the room.
    if (!heard || heard.epoch < this.latestEpoch) return;
    this.heardAt = this.now;
    this.latestEpoch = heard.epoch;
    const { epoch, openedAt } = this.link;
    if (epoch === heard.epoch) return;
    // If the link is new, give the leader time to answer it.
    if (epoch !== undefined || this.now - openedAt >= again) this.relink();
  }

  private hear(name: string, bytes: Uint8Array): void {
    const { link } = this;
    const message = decodeFromRoom(bytes);
    if (!message || name !== link.name || this.isClosed) return;
    if ('lost' in message) {
      this.relink();
      return;
    }
    const { epoch, number, items } = message;
    if (epoch < this.latestEpoch) return;
    if (number !== link.received || (link.epoch ?? epoch) !== epoch) {
      this.relink();
      return;
    }
    link.received++;
    link.epoch = epoch;
    this.heardAt = this.now;
    this.replaced = [];
    this.latestEpoch = epoch;
    for (const item of items) this.take(item);
  }

  private take(item: FromRoom): void {
    if (item.what === 'event') {
      const { to, name, message } = item;
      if ('only' in to) {
        for (const connection of to.only) this.sessions.get(connection)?.receive(name, message);
        return;
      }
      const except = new Set(to.except);
      for (const [connection, session] of this.sessions) {
        if (session.isPresent && !except.has(connection)) session.receive(name, message);
      }
      return;
    }
    // Keep the part that all welcomes have in common, even if this client has left, because later
    // welcomes omit unchanged fields.
    const { link } = this;
    if (item.what === 'welcome') link.common = { ...link.common, ...item.opening };
    const session = this.sessions.get(item.connection);
    if (!session) return;
    if (item.what === 'welcome') {
      session.receive(item.name, welcomeOf(link.common as CommonWelcome, item.own as never));
    } else if (item.what === 'stream') this.startStream(session, item.tier);
    else if (item.what === 'stop') this.endStream(session);
    else if (item.what === 'end') this.end(session, item.reason);
    else {
      const { reason, detail, id } = item;
      if (id === undefined) this.refuse(session, new Refusal(reason, detail));
      else session.refusedCommand(new Refusal(reason, detail), id);
    }
  }

  private startStream(session: RemoteSession, tier: StreamStart['tier']): void {
    const { size } = session;
    if (!size) return;
    const { bus, room, clock, openFrames } = this.options;
    if (this.framesSize?.width !== size.width || this.framesSize.height !== size.height) {
      // The room has been recreated with another size, and all its clients join again, so drop
      // their streams.
      this.frames?.close();
      this.views.clear();
      this.frames = undefined;
    }
    this.framesSize = size;
    this.frames ??= openFrames({ bus, room, clock, size });
    // If the session already has a stream, keep it, because its page still holds the frames it has
    // received.
    if (this.views.has(session)) {
      this.looked.add(session);
      const { pixels = 1 } = this.views.get(session) ?? {};
      // On a welcome, a page drops the frames it received while zoomed out, so send all chunks
      // again.
      if (pixels < 1) this.frames.resync(session.client, [...Array(chunkCount(size)).keys()]);
      return;
    }
    const viewport = fullViewport(size);
    this.views.set(session, viewport);
    const holds = session.takeHolds();
    this.frames.add(session.client, viewport, this.now, { tier, holds });
  }

  private endStream(session: RemoteSession): void {
    this.looked.delete(session);
    this.reports.forget(session.connection);
    if (this.views.delete(session)) this.frames?.remove(session.client);
  }

  private beat(): void {
    for (const item of this.reports.takeDrawn()) this.send(item);
    if (this.link.subscription) this.flush();
    if (!this.isOrphaned && this.link.epoch !== undefined) return;
    // The room may have ended without this server receiving its last messages, so ask why no server
    // runs it.
    const over = this.isOrphaned ? this.options.whyOver?.() : undefined;
    for (const session of [...this.sessions.values()]) {
      if (over) this.end(session, over);
      else if (session.hasEntered || this.now - session.joinedAt < silence) continue;
      else this.refuse(session, new Refusal('elsewhere', this.options.room));
    }
  }

  /**
   * Gives up a join. Sends the room a `leave`, too, because it may receive the join later, or may
   * still hold the connection from an earlier link.
   */
  private refuse(session: RemoteSession, refusal: Refusal): void {
    this.remove(session);
    this.send({ what: 'leave', connection: session.connection });
    session.refused(refusal);
  }

  private end(session: RemoteSession, reason: Reason): void {
    this.remove(session);
    session.client.disconnect(reason);
  }

  private tellViews(): void {
    for (const session of this.looked) {
      const viewport = this.views.get(session);
      const { connection } = session;
      const message = viewport ? { ...viewport, hidden: false } : { hidden: true };
      this.send({ what: 'command', connection, name: 'look', message });
    }
    this.looked.clear();
  }
}

interface RemoteRoomsOptions extends Pick<RemoteRoomOptions, 'bus' | 'clock' | 'node'> {
  /**
   * Returns why no server is running a room, as far as this server knows. Returns undefined if a
   * server should be running it.
   */
  readonly whyOver: (room: string) => Reason | undefined;
}

export class RemoteRooms {
  private readonly rooms = new Map<string, RemoteRoom>();
  private connections = 0;
  private cancel: () => void;

  constructor(private readonly options: RemoteRoomsOptions) {
    this.cancel = options.clock.after(GATEWAY_TIMES.idle, this.closeIdle);
  }

  /** Creates a session in a room, without joining it yet. */
  open(room: string, client: RoomClient): RoomSession {
    const remote = getOrAdd(this.rooms, room, () => {
      return new RemoteRoom({
        ...this.options,
        ...{ room, newLink: randomUUID, whyOver: () => this.options.whyOver(room) },
        openFrames,
      });
    });
    return new RemoteSession(++this.connections, client, remote);
  }

  /** For each room name, the number of connections in the room. */
  get sizes(): ReadonlyMap<string, number> {
    return new Map([...this.rooms].map(([name, { size }]) => [name, size]));
  }

  close(): void {
    this.cancel();
    for (const room of this.rooms.values()) room.close();
    this.rooms.clear();
  }

  private readonly closeIdle = (): void => {
    this.cancel = this.options.clock.after(GATEWAY_TIMES.idle, this.closeIdle);
    for (const [name, room] of this.rooms) {
      if (room.size > 0 || room.isFresh) continue;
      room.close();
      this.rooms.delete(name);
    }
  };
}
