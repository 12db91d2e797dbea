/**
 * Rooms of other servers, as the connections of this one reach them. When messages were lost, or
 * another server has a room, all its connections join again, and their pages notice no more than a
 * pause. Nothing here knows the room's state. Start at `RemoteRoom.hear`.
 */
import { randomUUID } from 'node:crypto';
import { chunkCount } from '../../../shared/codec/chunks.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
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
  linkChannel,
  MAX_REPLACED,
  roomChannel,
  type ToRoom,
} from './messages.ts';
import { GatheredReports, RemoteSession, type SessionRoom } from './remote-session.ts';

const { beat, silence, look, again } = DEFAULTS.cluster.sessions;

type FrameMaker = Pick<
  RoomBroadcaster,
  'add' | 'remove' | 'setViewport' | 'acknowledge' | 'resync' | 'close'
>;

/** Makes the frames of a room for the viewers of this server. */
export function openFrames(options: Omit<RemoteFramesOptions, 'onTick'>): RoomBroadcaster {
  const feed = new RemoteFrames({ ...options, onTick: (now) => broadcaster.publish(now) });
  const broadcaster = new RoomBroadcaster(feed);
  return broadcaster;
}

export interface RemoteRoomOptions {
  readonly room: string;
  readonly bus: Bus;
  readonly clock: Clock;
  /** Names this server. */
  readonly node: string;
  /** A name that no other link has had. */
  readonly newLink: () => string;
  readonly openFrames: (...options: Parameters<typeof openFrames>) => FrameMaker;
  /** Why the room runs nowhere, as far as is known here; undefined if it should run. */
  readonly whyOver?: () => Reason | undefined;
  /** Runs a function at the end of this turn. */
  readonly defer?: (run: () => void) => void;
}

export class RemoteRoom implements SessionRoom {
  private readonly sessions = new Map<number, RemoteSession>();
  private frames: FrameMaker | undefined;
  /** Of the room whose frames they are. */
  private framesSize: RemoteSession['size'];
  /** Sessions with a stream, and what they look at; undefined while their page is hidden. */
  private readonly views = new Map<RemoteSession, Viewport | undefined>();
  /** Sessions whose view has changed since the room was last told. */
  private readonly looked = new Set<RemoteSession>();
  private readonly reports: GatheredReports;
  private items: ToRoom[] = [];
  private isWaiting = false;

  private link: string;
  /** Earlier links, from the last on that the owner has answered over. */
  private replaced: string[] = [];
  /** Whether the room may be told something over the link. */
  private isReady = false;
  /** The common part of all welcomes over the link. */
  private common: Partial<CommonWelcome> = {};
  /** The owner of the link; undefined before its first message. */
  private epoch: number | undefined;
  /** The latest owner that was heard. */
  private latestEpoch = 0;
  private sent = 0;
  private received = 0;
  private openedAt = Number.NEGATIVE_INFINITY;
  private heardAt: number;
  private readonly subscriptions: Subscription[] = [];
  private linkSubscription: Subscription | undefined;
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
      // It tells the room that the page has its resume token.
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
    this.link = options.newLink();
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
    this.subscribe(beatChannel(room), (bytes) => this.hearBeat(bytes), this.subscriptions);
    void this.openLink();
  }

  /** Number of connections. */
  get size(): number {
    return this.sessions.size;
  }

  /** Whether it was opened just now. */
  get isFresh(): boolean {
    return this.now - this.openedAt < silence;
  }

  /** Whether no server has the room, as far as is known here. */
  get isOrphaned(): boolean {
    return this.now - this.heardAt >= silence;
  }

  add(session: RemoteSession): void {
    if (this.isOrphaned) throw new Refusal('elsewhere', this.options.room);
    session.joinedAt = this.now;
    this.sessions.set(session.connection, session);
    // The opening of a link tells all joins.
    if (this.isReady) this.send(session.joinItem);
  }

  remove(session: RemoteSession): void {
    this.sessions.delete(session.connection);
    this.endStream(session);
  }

  send(item: ToRoom): void {
    if (!this.isReady) return;
    this.items.push(item);
    if (this.isWaiting) return;
    this.isWaiting = true;
    (this.options.defer ?? process.nextTick)(() => {
      this.isWaiting = false;
      if (this.items.length > 0) this.flush();
    });
  }

  handle<N extends MessageName>(session: RemoteSession, name: N, message: Command<N>): boolean {
    const handle = this.handlers[name];
    handle?.(session, message);
    return handle !== undefined;
  }

  /** The connections have gone. */
  close(): void {
    this.isClosed = true;
    this.reports.clear();
    if (this.items.length > 0) this.flush();
    for (const cancel of this.cancels) cancel();
    for (const subscription of this.subscriptions) subscription.close();
    this.linkSubscription?.close();
    this.frames?.close();
  }

  private get now(): number {
    return this.options.clock.now();
  }

  private subscribe(
    channel: string,
    listener: (bytes: Uint8Array) => void,
    list: Subscription[],
  ): Promise<void> {
    return this.options.bus.subscribe(channel, listener).then(
      (subscription) => {
        if (this.isClosed) subscription.close();
        else list.push(subscription);
      },
      // The bus has been closed.
      () => {},
    );
  }

  /** Has all connections join over a new link. */
  private relink(): void {
    if (this.isClosed) return;
    // When there are so many, the first has been silent so long that the owner has given it up.
    this.replaced = [...this.replaced, this.link].slice(-MAX_REPLACED);
    this.link = this.options.newLink();
    this.linkSubscription?.close();
    this.linkSubscription = undefined;
    this.isReady = false;
    this.items = [];
    this.epoch = undefined;
    this.common = {};
    this.reports.clear();
    for (const session of this.sessions.values()) session.rejoins();
    void this.openLink();
  }

  private async openLink(): Promise<void> {
    const { link, options } = this;
    this.openedAt = this.now;
    const subscriptions: Subscription[] = [];
    await this.subscribe(linkChannel(link), (bytes) => this.hear(link, bytes), subscriptions);
    if (this.isClosed || this.link !== link) {
      for (const subscription of subscriptions) subscription.close();
      return;
    }
    [this.linkSubscription] = subscriptions;
    this.isReady = true;
    this.sent = 0;
    this.received = 0;
    this.items = [...this.sessions.values()].map(({ joinItem }) => joinItem);
    this.flush({ node: options.node, replaces: this.replaced });
  }

  private flush(opening?: BatchToRoom['opening']): void {
    const { link, items, options } = this;
    this.items = [];
    const message = { link, number: this.sent++, items, ...(opening && { opening }) };
    options.bus.publish(roomChannel(options.room), encode(message));
  }

  private hearBeat(bytes: Uint8Array): void {
    const heard = decodeBeat(bytes);
    // One that goes on after it has lost the room.
    if (!heard || heard.epoch < this.latestEpoch) return;
    this.heardAt = this.now;
    this.latestEpoch = heard.epoch;
    if (this.epoch === heard.epoch) return;
    // A link that is just being opened has not been answered yet.
    if (this.epoch !== undefined || this.now - this.openedAt >= again) this.relink();
  }

  private hear(link: string, bytes: Uint8Array): void {
    const message = decodeFromRoom(bytes);
    if (!message || link !== this.link || this.isClosed) return;
    if ('lost' in message) {
      this.relink();
      return;
    }
    const { epoch, number, items } = message;
    if (epoch < this.latestEpoch) return;
    if (number !== this.received || (this.epoch ?? epoch) !== epoch) {
      this.relink();
      return;
    }
    this.received++;
    this.heardAt = this.now;
    this.replaced = [];
    this.latestEpoch = epoch;
    this.epoch = epoch;
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
    // The common part comes with the first welcome, whose client may have left.
    if (item.what === 'welcome') this.common = { ...this.common, ...item.opening };
    const session = this.sessions.get(item.connection);
    if (!session) return;
    if (item.what === 'welcome') {
      session.receive(item.name, welcomeOf(this.common as CommonWelcome, item.own as never));
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
      // The room has been made anew, and everybody in it joins anew.
      this.frames?.close();
      this.views.clear();
      this.frames = undefined;
    }
    this.framesSize = size;
    this.frames ??= openFrames({ bus, room, clock, size });
    // One that was there before goes on: its page holds what it was sent.
    if (this.views.has(session)) {
      this.looked.add(session);
      const { pixels = 1 } = this.views.get(session) ?? {};
      // But with a welcome, it forgets what it was sent zoomed out.
      if (pixels < 1) this.frames.resync(session.client, allChunks(size));
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
    if (this.isReady) this.flush();
    if (!this.isOrphaned && this.epoch !== undefined) return;
    if (this.isOrphaned) this.endIfOver();
    for (const session of [...this.sessions.values()]) {
      if (session.hasEntered || this.now - session.joinedAt < silence) continue;
      this.refuse(session, new Refusal('elsewhere', this.options.room));
    }
  }

  /** Its last messages may have been lost. */
  private endIfOver(): void {
    const reason = this.options.whyOver?.();
    if (reason === undefined) return;
    for (const session of [...this.sessions.values()]) this.end(session, reason);
  }

  /** Gives up its join, which the room may still hear of, or has taken in over an earlier link. */
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

const allChunks = (size: { readonly width: number; readonly height: number }): number[] =>
  Array.from({ length: chunkCount(size) }, (_, chunk) => chunk);

export interface RemoteRoomsOptions extends Pick<RemoteRoomOptions, 'bus' | 'clock' | 'node'> {
  /** Why a room runs nowhere, as far as is known here; undefined if it should run. */
  readonly whyOver: (room: string) => Reason | undefined;
}

export class RemoteRooms {
  private readonly rooms = new Map<string, RemoteRoom>();
  private connections = 0;
  private cancel: () => void;

  constructor(private readonly options: RemoteRoomsOptions) {
    this.cancel = options.clock.after(DEFAULTS.cluster.sessions.idle, this.closeIdle);
  }

  /** Opens a session in a room. */
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

  /** Number of connections by room. */
  get sizes(): ReadonlyMap<string, number> {
    return new Map([...this.rooms].map(([name, { size }]) => [name, size]));
  }

  close(): void {
    this.cancel();
    for (const room of this.rooms.values()) room.close();
    this.rooms.clear();
  }

  private readonly closeIdle = (): void => {
    this.cancel = this.options.clock.after(DEFAULTS.cluster.sessions.idle, this.closeIdle);
    for (const [name, room] of this.rooms) {
      if (room.size > 0 || room.isFresh) continue;
      room.close();
      this.rooms.delete(name);
    }
  };
}
