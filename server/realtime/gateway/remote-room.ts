/**
 * Connects this server's pages with rooms that run on other servers. This server is then called a
 * gateway. If messages are lost, or if another server takes over a room, all connections join the
 * room again. Start reading at `RemoteRoom.hear`.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { chunkCount } from '../../../shared/codec/chunks.ts';
import type { Command, CommandName } from '../../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import { POINTER_INTERVAL, packPointer } from '../../../shared/protocol/pointers.ts';
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import {
  type Bus,
  decodeMessage,
  encodeMessage,
  type Subscription,
} from '../../cluster/bus/bus.ts';
import { type Clock, repeat, Throttle } from '../../platform/clock.ts';
import { QUEUE_LIMITS } from '../../world/commands.ts';
import type { MessageName, RoomSession } from '../commands/client-messages.ts';
import {
  type CommonWelcome,
  type Entry,
  type RoomClient,
  welcomeOf,
} from '../sessions/room-client.ts';
import { fullViewport, type StreamStart, type Viewport } from '../streaming/viewer-stream.ts';
import { openFrames, type Size } from './frame-mirrors.ts';
import {
  batchFromRoom,
  busChannels,
  type FromRoom,
  GATEWAY_TIMES,
  type Item,
  news,
  type ToRoom,
} from './messages.ts';

const { beat, silence, again } = GATEWAY_TIMES;

/**
 * Commands that are not sent again over a new link. The room would not recognise the repetition,
 * and might execute the command twice.
 */
const DONE_EACH_TIME: ReadonlySet<CommandName> = new Set(['beacon', 'draw', 'preview']);

/** A command that expects an answer. */
type Asked = readonly [name: CommandName, message: { readonly id: number }];

/**
 * A page's session in a room that runs on another server. If the link to that server is replaced,
 * the session sends its unanswered commands again.
 */
export class RemoteSession implements RoomSession {
  /** Whether the session has a seat in the room or a position in the queue. */
  hasEntered = false;
  /**
   * Whether the session has received its welcome message. Before the welcome message, the session
   * gets no events that are meant for everybody in the room.
   */
  isPresent = false;
  /** When the session sent its request to join, in ms. */
  joinedAt = 0;
  /** Size of the room; undefined before the welcome message has arrived. */
  size: Size | undefined;
  private entry: Entry | undefined;
  /** Unanswered commands, by command id. */
  private readonly unanswered = new Map<number, Asked>();
  /**
   * If the page's `join` contains no `session`, this id is sent instead. With the id, the room
   * recognises commands that are sent again.
   */
  private readonly commandSession = randomInt(2 ** 32);
  /**
   * Whether the session is joining the room again over a new link. If so, its unanswered commands
   * are sent again after the next welcome message.
   */
  private hasRejoined = false;

  /** @param connection number, unique among this server's past and present connections */
  constructor(
    readonly connection: number,
    readonly client: RoomClient,
    private readonly room: RemoteRoom,
  ) {}

  get isOpen(): boolean {
    return this.entry !== undefined;
  }

  /**
   * Returns `holds` (checksums of cells) from the page's request to join. Later calls return
   * undefined.
   */
  takeHolds(): Uint8Array | undefined {
    const holds = this.entry?.holds;
    this.entry &&= { ...this.entry, holds: undefined };
    return holds;
  }

  /** The session's request to join, as an item of a message to the room. */
  get joinItem(): ToRoom {
    const { connection, client } = this;
    // Omit `holds` (checksums of the cells that the page already has), because this server builds
    // the page's frames.
    const { holds: _, ...entry } = this.entry!;
    const { session = this.commandSession } = entry;
    return { what: 'join', connection, entry: { ...entry, session, address: client.address } };
  }

  join(entry: Entry): void {
    this.room.requireLeader();
    this.entry = entry;
    this.room.add(this);
  }

  handle<N extends MessageName>(name: N, message: Command<N>): void {
    if (!this.hasEntered) throw new Refusal('not-joined');
    if ('id' in message) this.ask(name, message);
    else if (!this.room.handle(this, name, message) && !this.hasRejoined) {
      this.sendCommand([name, message]);
    }
  }

  leave(): void {
    if (!this.entry) return;
    this.entry = undefined;
    this.room.remove(this);
    this.room.send({ what: 'leave', connection: this.connection });
  }

  /** Prepares the session to join again over a new link. */
  rejoins(): void {
    this.isPresent = false;
    if (!this.hasEntered || !this.entry) return;
    this.hasRejoined = true;
    const { notice: _, holds: __, ...entry } = this.entry;
    this.entry = entry;
  }

  receive(name: EventName, message: unknown): void {
    const { client } = this;
    if (name === 'accepted' || name === 'rejected') {
      const { id } = message as Event<'rejected'>;
      // A repeated command may be answered twice, so pass on only the first answer. A message
      // without an id, or with id 0, answers no command, so always pass on this message.
      if (!id || this.answered(id, name)) client.send(name, message as never);
      return;
    }
    const isWelcome = name === 'welcome' || name === 'wall';
    if (isWelcome || name === 'waiting') {
      this.hasEntered = true;
      client.entered();
    }
    if (name === 'welcome' || name === 'waiting') {
      const { resume, mark } = message as Partial<Event<'welcome'>>;
      const told = { ...(resume !== undefined && { resume }), ...(mark !== undefined && { mark }) };
      this.entry &&= { ...this.entry, ...told };
    }
    client.send(name, message as never);
    if (!isWelcome) return;
    this.size = (message as Event<'wall'>).room;
    this.isPresent = true;
    if (this.hasRejoined) this.sendAgain();
  }

  refusedCommand(refusal: Refusal, id: number): void {
    if (this.answered(id, 'rejected')) this.client.refuse(refusal, id);
  }

  /** Handles the room's refusal of the session's request to join. */
  refused(refusal: Refusal): void {
    const { client } = this;
    const wasIn = this.hasEntered;
    this.entry = undefined;
    this.hasEntered = false;
    // If the page was already in the room, it has not asked to join again: this server repeated its
    // earlier request over a new link. The page expects no refusal, so disconnect the page.
    if (wasIn) client.disconnect(refusal.reason);
    else client.refuse(refusal);
  }

  /** Sends a command that expects an answer. @throws Refusal `too-fast` */
  private ask(...asked: Asked): void {
    const [, { id }] = asked;
    // Ignore the repetition of a command that is still unanswered.
    if (this.unanswered.has(id)) return;
    // While no leader can be reached, no answers arrive. So limit the number of unanswered
    // commands.
    if (this.unanswered.size >= QUEUE_LIMITS.maxQueuedPerParticipant) {
      throw new Refusal('too-fast', 'unanswered');
    }
    this.unanswered.set(id, asked);
    if (!this.hasRejoined) this.sendCommand(asked);
  }

  private sendCommand([name, message]: readonly [CommandName, unknown]): void {
    this.room.send({ what: 'command', connection: this.connection, name, message });
  }

  /** Stops waiting for the answer to a command. @returns whether the answer was awaited */
  private answered(id: number, name: EventName): boolean {
    const asked = this.unanswered.get(id);
    if (name === 'accepted' && asked?.[0] === 'name' && this.entry) {
      this.entry = { ...this.entry, name: (asked[1] as Command<'name'>).name };
    }
    return this.unanswered.delete(id);
  }

  /**
   * Sends unanswered commands again, and refuses those in `DONE_EACH_TIME`. Sending again is safe:
   * the room recognises repeated commands that change cells, and all other commands may be executed
   * twice.
   */
  private sendAgain(): void {
    this.hasRejoined = false;
    for (const asked of [...this.unanswered.values()]) {
      const [name, { id }] = asked;
      if (!DONE_EACH_TIME.has(name)) this.sendCommand(asked);
      // The room may or may not have executed this command. Report the command as refused, so that
      // the visitor can try again.
      else if (this.unanswered.delete(id)) this.client.refuse(new Refusal('room-busy'), id);
    }
  }
}

/** Creates the state of one link to the room. @param openedAt current time, in ms */
const createLink = (openedAt: number) => ({
  name: randomUUID() as string,
  openedAt,
  /** Items to send at the end of this turn of the event loop. */
  items: [] as ToRoom[],
  sent: 0,
  received: 0,
  /** The fields common to all welcome messages, as received over this link so far. */
  common: {} as Partial<CommonWelcome>,
  /** The channels last reported to the room's server, as JSON. */
  wants: '[]',
  /**
   * Epoch (number of leaders so far) of the leader that has answered over this link; undefined
   * before the first answer.
   */
  epoch: undefined as number | undefined,
});

export interface RemoteRoomOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  /** Unique name of this server. */
  readonly node: string;
  /**
   * Called if a room's leader is silent. Returns why the room has ended; undefined if the room has
   * not ended.
   */
  readonly whyOver: (room: string) => Reason | undefined;
  readonly openFrames?: typeof openFrames;
  /** Runs a function at the end of this turn of the event loop. */
  readonly defer?: (run: () => void) => void;
}

export class RemoteRoom {
  private readonly clock = this.options.clock;
  private readonly channels = busChannels(this.name);
  private readonly sessions = new Map<number, RemoteSession>();
  private frames: ReturnType<typeof openFrames> | undefined;
  /** Viewport of each session with a stream of frames; undefined while the page is hidden. */
  private readonly views = new Map<RemoteSession, Viewport | undefined>();
  /** Sessions whose new viewport has not been sent to the room yet. */
  private readonly looked = new Set<RemoteSession>();
  /**
   * Frames that pages have drawn since the last heartbeat, by connection. `tick`: tick of the
   * latest frame. `frames`: number of frames.
   */
  private readonly drawn = new Map<number, { readonly tick: number; readonly frames: number }>();
  /** Cursor positions that have not been sent to the room yet, by connection. */
  private readonly cursors = new Map<number, Command<'cursor'>>();
  private readonly sendLooks = new Throttle(this.clock, GATEWAY_TIMES.look, () => {
    for (const session of this.looked) {
      const viewport = this.views.get(session);
      const { connection } = session;
      const message = viewport ? { ...viewport, hidden: false } : { hidden: true };
      this.send({ what: 'command', connection, name: 'look', message });
    }
    this.looked.clear();
  });
  private readonly sendCursors = new Throttle(this.clock, POINTER_INTERVAL, () => {
    const cursors = [...this.cursors].map(([id, cursor]) => packPointer({ ...cursor, id }));
    this.cursors.clear();
    if (cursors.length > 0) this.send({ what: 'cursors', cursors });
  });
  private readonly sendWants = new Throttle(this.clock, GATEWAY_TIMES.wants, () =>
    this.tellWants(),
  );
  private isWaiting = false;
  private link = createLink(this.clock.now());
  /** Highest epoch (number of leaders so far) in any message from a leader. */
  private latestEpoch = 0;
  private heardAt = this.clock.now();
  private readonly subscriptions: Subscription[] = [];
  private readonly cancelBeats = repeat(this.clock, beat, () => this.beat());
  /**
   * Whether this server has subscribed to the room's messages. Without a subscription, answers
   * would be lost, so nothing is sent to the room.
   */
  private isOpen = false;
  private isClosed = false;

  private readonly handlers: {
    readonly [N in MessageName]?: (session: RemoteSession, message: Command<N>) => void;
  } = {
    look: (session, message) => {
      if (!this.views.has(session)) return;
      const viewport = message.hidden ? undefined : message;
      this.setView(session, viewport);
      this.frames?.broadcaster.setViewport(session.client, viewport, this.clock.now());
    },
    received: ({ client, connection, isPresent }, { tick }) => {
      this.frames?.broadcaster.acknowledge(client, tick, this.clock.now());
      // Report drawn frames only after the welcome message, which contains a resume token. The room
      // takes the report as proof that the page has received the token.
      const frames = (this.drawn.get(connection)?.frames ?? 0) + 1;
      if (isPresent) this.drawn.set(connection, { tick, frames });
    },
    resync: ({ client }, { chunks }) => this.frames?.broadcaster.resync(client, chunks),
    cursor: ({ connection, isPresent }, cursor) => {
      if (!isPresent) return;
      this.cursors.set(connection, cursor);
      this.sendCursors.request();
    },
  };

  constructor(
    private readonly name: string,
    private readonly options: RemoteRoomOptions,
  ) {
    this.subscriptions.push(options.bus.onGap(() => this.relink()));
    void this.open();
  }

  get size(): number {
    return this.sessions.size;
  }

  /**
   * Whether this server has no connections in the room, and the link has been open for at least
   * `silence` ms.
   */
  get isIdle(): boolean {
    return this.size === 0 && this.clock.now() - this.link.openedAt >= silence;
  }

  /** @throws Refusal `elsewhere` if the room's leader has sent nothing in the last `silence` ms */
  requireLeader(): void {
    if (this.isOrphaned) throw new Refusal('elsewhere', this.name);
  }

  add(session: RemoteSession): void {
    session.joinedAt = this.clock.now();
    this.sessions.set(session.connection, session);
    this.send(session.joinItem);
  }

  remove(session: RemoteSession): void {
    this.sessions.delete(session.connection);
    this.endStream(session);
  }

  /** Sends an item to the room at the end of this turn of the event loop. */
  send(item: ToRoom): void {
    // Drop items until this server has subscribed. The first message after the subscription
    // contains each session's request to join.
    if (!this.isOpen) return;
    this.link.items.push(item);
    if (this.isWaiting) return;
    this.isWaiting = true;
    (this.options.defer ?? process.nextTick)(() => {
      this.isWaiting = false;
      if (this.link.items.length > 0) this.flush();
    });
  }

  /** Handles a message, if the gateway can. @returns false if the room's server must handle it */
  handle<N extends MessageName>(session: RemoteSession, name: N, message: Command<N>): boolean {
    const handle = this.handlers[name];
    handle?.(session, message);
    return handle !== undefined;
  }

  close(): void {
    this.isClosed = true;
    if (this.link.items.length > 0) this.flush();
    this.cancelBeats();
    for (const one of [this.sendLooks, this.sendCursors, this.sendWants]) one.cancel();
    for (const subscription of this.subscriptions) subscription.close();
    this.frames?.broadcaster.close();
  }

  private get isOrphaned(): boolean {
    return this.clock.now() - this.heardAt >= silence;
  }

  private async open(): Promise<void> {
    const { bus, node } = this.options;
    const { channels } = this;
    const subscribed = await Promise.all([
      bus.subscribe(channels.news, (bytes) => this.hearNews(bytes)),
      bus.subscribe(channels.to(node), (bytes) => this.hear(bytes)),
    ]).catch(() => undefined);
    // The subscriptions fail only if the bus is closed.
    if (!subscribed) return;
    this.subscriptions.push(...subscribed);
    if (this.isClosed) {
      for (const subscription of subscribed) subscription.close();
      return;
    }
    this.isOpen = true;
    this.openLink();
  }

  /** Makes all connections join again over a new link. */
  private relink(): void {
    if (this.isClosed) return;
    this.drawn.clear();
    this.cursors.clear();
    for (const session of this.sessions.values()) session.rejoins();
    this.link = createLink(this.clock.now());
    if (this.isOpen) this.openLink();
  }

  private openLink(): void {
    this.link.items = [...this.sessions.values()].map(({ joinItem }) => joinItem);
    this.frames?.feed.renew();
    this.tellWants();
    this.flush();
  }

  private flush(): void {
    const { link, options } = this;
    const { name, items } = link;
    link.items = [];
    const message = { gateway: options.node, link: name, number: link.sent++, items };
    options.bus.publish(this.channels.toRoom, encodeMessage(message));
  }

  private hearNews(bytes: Uint8Array): void {
    const message = decodeMessage(news, bytes);
    // Ignore a former leader, which may still send heartbeats after another server has taken over.
    if (!message || message.epoch < this.latestEpoch || this.isClosed) return;
    this.heardAt = this.clock.now();
    this.latestEpoch = message.epoch;
    const { epoch, openedAt } = this.link;
    // If the leader has not answered over a new link yet, wait before opening another link.
    const isAnswering = epoch === undefined && this.heardAt - openedAt < again;
    if (epoch !== message.epoch && !isAnswering) this.relink();
    if (!message.frames || !this.frames) return;
    this.frames.feed.take(message.frames);
    this.frames.broadcaster.publish(this.clock.now());
  }

  private hear(bytes: Uint8Array): void {
    const { link } = this;
    const message = decodeMessage(batchFromRoom, bytes);
    if (message?.link !== link.name || message.epoch < this.latestEpoch || this.isClosed) return;
    const { epoch, number, items } = message;
    if (number !== link.received || (link.epoch ?? epoch) !== epoch) {
      this.relink();
      return;
    }
    link.received++;
    link.epoch = epoch;
    this.heardAt = this.clock.now();
    this.latestEpoch = epoch;
    for (const item of items) this.take(item);
  }

  private take(item: FromRoom): void {
    if (item.what === 'event') this.takeEvent(item);
    else if (item.what === 'baseline') void this.frames?.feed.takeBaseline(item);
    else this.takeFor(item);
  }

  private takeFor(item: Exclude<FromRoom, Item<'event' | 'baseline'>>): void {
    const { link } = this;
    // Store the fields that all welcome messages share, even if this client has left: later welcome
    // messages leave out shared fields that have not changed.
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

  private takeEvent({ to, name, message }: Item<'event'>): void {
    if ('only' in to) {
      for (const connection of to.only) this.sessions.get(connection)?.receive(name, message);
      return;
    }
    const except = new Set(to.except);
    for (const [connection, session] of this.sessions) {
      if (session.isPresent && !except.has(connection)) session.receive(name, message);
    }
  }

  private startStream(session: RemoteSession, tier: StreamStart['tier']): void {
    const { size } = session;
    if (!size) return;
    if (this.frames?.size.width !== size.width || this.frames.size.height !== size.height) {
      // If the size of the room has changed, drop all streams. Each client gets a new stream.
      this.frames?.broadcaster.close();
      this.views.clear();
      const open = this.options.openFrames ?? openFrames;
      this.frames = open(size, this.clock, () => this.sendWants.request());
    }
    const { broadcaster } = this.frames;
    // If the session already has a stream of frames, continue it: the page still has its frames.
    if (this.views.has(session)) {
      const view = this.views.get(session);
      this.setView(session, view);
      // The new welcome message makes a page that is zoomed out (less than one pixel per cell) drop
      // the frames that it has received. So send this page all chunks again.
      if (view && view.pixels < 1) {
        broadcaster.resync(session.client, [...Array(chunkCount(size)).keys()]);
      }
      return;
    }
    const viewport = fullViewport(size);
    this.views.set(session, viewport);
    const holds = session.takeHolds();
    broadcaster.add(session.client, viewport, this.clock.now(), { tier, holds });
  }

  private endStream(session: RemoteSession): void {
    this.looked.delete(session);
    this.drawn.delete(session.connection);
    this.cursors.delete(session.connection);
    if (this.views.delete(session)) this.frames?.broadcaster.remove(session.client);
  }

  private setView(session: RemoteSession, viewport: Viewport | undefined): void {
    this.views.set(session, viewport);
    this.looked.add(session);
    this.sendLooks.request();
  }

  private beat(): void {
    const clients = [...this.drawn].map(([connection, { tick, frames }]) => {
      return [connection, tick, frames] as [number, number, number];
    });
    this.drawn.clear();
    if (clients.length > 0) this.send({ what: 'drawn', clients });
    if (this.isOpen) this.flush();
    if (!this.isOrphaned && this.link.epoch !== undefined) return;
    // If the leader is silent, the room may have ended, and the message about it may have been
    // lost. So check.
    const over = this.isOrphaned ? this.options.whyOver(this.name) : undefined;
    for (const session of [...this.sessions.values()]) {
      if (over) this.end(session, over);
      else if (session.hasEntered || this.clock.now() - session.joinedAt < silence) continue;
      else this.refuse(session, new Refusal('elsewhere', this.name));
    }
  }

  /**
   * Refuses a session's request to join. Also sends `leave`, because the room may still receive the
   * request, or may know the connection from an earlier link.
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

  private tellWants(): void {
    const channels = this.frames?.feed.takeWants() ?? [];
    const wants = JSON.stringify(channels);
    // If a baseline (all cells of a channel) is requested twice, the two lists may be equal. So
    // always send a list that contains requests.
    if (wants !== this.link.wants || channels.some(({ asks }) => asks)) {
      this.send({ what: 'wants', channels });
    }
    this.link.wants = wants;
  }
}
