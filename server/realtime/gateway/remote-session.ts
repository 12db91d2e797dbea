/** One connection of this server in a room of another one. */
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { Command, CommandName } from '../../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { Bus } from '../../cluster/bus/bus.ts';
import type { Clock } from '../../platform/clock.ts';
import {
  checksOf,
  type Entry,
  type RoomSession,
  type SessionClient,
  type Wish,
} from '../sessions/local-session.ts';
import { RemoteFrames } from '../streaming/remote-frames.ts';
import { type AddOptions, RoomBroadcaster } from '../streaming/room-broadcaster.ts';
import type { Viewer, Viewport } from '../streaming/viewer-stream.ts';
import type { ToRoom } from './messages.ts';

/** What a session needs of the room. */
export interface SessionRoom {
  /** Takes a session in, and has it join. @throws Refusal elsewhere */
  add(session: RemoteSession): void;
  remove(session: RemoteSession): void;
  /** Sends something at the end of this turn. */
  send(item: ToRoom): void;
  setViewport(session: RemoteSession, viewport: Viewport | undefined): void;
  drawn(session: RemoteSession, tick: number): void;
  resync(session: RemoteSession, chunks: readonly number[]): void;
  moveCursor(session: RemoteSession, cursor: Command<'cursor'>): void;
}

/** What must not be done twice, but is not remembered by the room. */
const DONE_EACH_TIME: ReadonlySet<CommandName> = new Set(['beacon', 'draw', 'preview']);

/** A command that is answered. */
type Asked = readonly [name: CommandName, message: { readonly id: number }];

export class RemoteSession implements RoomSession {
  /** Whether the room has taken it in, perhaps to its queue. */
  hasEntered = false;
  /** Whether it has been welcomed: it gets what is for everybody. */
  isPresent = false;
  /** When it asked to join, ms. */
  joinedAt = 0;
  /** Of the room; undefined before the welcome. */
  size: Pick<Event<'welcome'>['room'], 'width' | 'height'> | undefined;
  private entry: Entry | undefined;
  /** Commands without an answer, by their id. */
  private readonly unanswered = new Map<number, Asked>();
  /** A new link has had it join again, so that commands may have been lost. */
  private hasRejoined = false;

  /**
   * @param connection its number, which no other connection of this server has had
   * @param word the session of its commands, see `Command<'join'>`, for a page that names none
   */
  constructor(
    readonly connection: number,
    readonly client: SessionClient,
    private readonly room: SessionRoom,
    private readonly word: number,
  ) {}

  get isOpen(): boolean {
    return this.entry !== undefined;
  }

  /** [chunks] checksums of what the page showed when it joined: only its first frames need them. */
  takeHolds(): ArrayLike<number> | undefined {
    const holds = this.entry?.holds;
    this.entry &&= { ...this.entry, holds: undefined };
    return holds && checksOf(holds);
  }

  /** Its join, as it is sent. */
  get joinItem(): ToRoom {
    const { connection, client, entry, word } = this;
    if (!entry) throw new Error('The session has not joined.');
    const { address = '' } = client;
    // Its frames are made here.
    const { holds: _, ...told } = entry;
    const { session = word } = told;
    return { what: 'join', connection, entry: { ...told, address, session } };
  }

  join(entry: Entry): void {
    this.entry = entry;
    try {
      this.room.add(this);
    } catch (error) {
      this.entry = undefined;
      throw error;
    }
  }

  handle(...[name, message]: Wish): void {
    const { connection, room } = this;
    if (!this.hasEntered) throw new Refusal('not-joined');
    if (name === 'received') room.drawn(this, message.tick);
    else if (name === 'resync') room.resync(this, message.chunks);
    else if (name === 'look') room.setViewport(this, message.hidden ? undefined : message);
    else if ('id' in message) this.ask(name, message);
    else if (this.hasRejoined) return;
    else if (name === 'cursor') room.moveCursor(this, message);
    else room.send({ what: 'command', connection, name, message });
  }

  leave(): void {
    if (!this.entry) return;
    this.entry = undefined;
    this.room.remove(this);
    this.room.send({ what: 'leave', connection: this.connection });
  }

  /** A new link has it join again. */
  rejoins(): void {
    this.isPresent = false;
    if (!this.hasEntered || !this.entry) return;
    this.hasRejoined = true;
    const { notice: _, holds: __, ...entry } = this.entry;
    this.entry = entry;
  }

  /** Passes an event on. */
  receive(name: EventName, message: unknown): void {
    const { client } = this;
    if (name === 'accepted' || name === 'rejected') {
      const { id } = message as Event<'rejected'>;
      // One that was sent again may be answered twice. What a page has not asked for has no number, or 0.
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

  /** The room has refused a command. */
  refusedCommand(refusal: Refusal, id: number): void {
    if (this.answered(id, 'rejected')) this.client.refuse(refusal, id);
  }

  /** The room has refused its join. */
  refused(refusal: Refusal): void {
    const { client } = this;
    const wasIn = this.hasEntered;
    this.entry = undefined;
    this.hasEntered = false;
    // A page that is in the room takes no refusal of a join that it has not asked for.
    if (wasIn) client.disconnect(refusal.reason);
    else client.refuse(refusal);
  }

  /** @throws Refusal too-fast */
  private ask(...asked: Asked): void {
    // The page has sent it again, and it waits for its answer already.
    if (this.unanswered.has(asked[1].id)) return;
    // The owner may be away for long.
    if (this.unanswered.size >= DEFAULTS.room.maxQueuedPerParticipant) {
      throw new Refusal('too-fast', 'unanswered');
    }
    this.unanswered.set(asked[1].id, asked);
    if (!this.hasRejoined) this.sendCommand(asked);
  }

  private sendCommand([name, message]: Asked): void {
    this.room.send({ what: 'command', connection: this.connection, name, message });
  }

  /** Ends the wait for an answer. @returns whether there was one to come */
  private answered(id: number, name: EventName): boolean {
    const asked = this.unanswered.get(id);
    if (name === 'accepted' && asked?.[0] === 'name' && this.entry) {
      this.entry = { ...this.entry, name: (asked[1] as Command<'name'>).name };
    }
    return this.unanswered.delete(id);
  }

  /** The room does once what changes its cells, and the rest may be done twice. */
  private sendAgain(): void {
    this.hasRejoined = false;
    for (const asked of [...this.unanswered.values()]) {
      const [name, { id }] = asked;
      if (!DONE_EACH_TIME.has(name)) this.sendCommand(asked);
      // Whether it has been done is not known. Of a drawing, the hand shows it.
      else if (this.unanswered.delete(id)) this.client.refuse(new Refusal('room-busy'), id);
    }
  }
}

export interface RemoteStreamsOptions {
  readonly bus: Bus;
  readonly room: string;
  /** Of the room, cells. */
  readonly size: { readonly width: number; readonly height: number };
  readonly clock: Clock;
}

/** A viewer before the feed is open: it has been sent nothing that it could answer. */
interface Waiting {
  readonly viewport: Viewport;
  readonly now: number;
  readonly options: AddOptions | undefined;
  /** Sets what it looks at by now. */
  look?: (broadcaster: RoomBroadcaster) => void;
}

/** See `RoomBroadcaster`; all methods may be called at once. */
export class RemoteStreams {
  private feed: RemoteFrames | undefined;
  private broadcaster: RoomBroadcaster | undefined;
  /** Those who wait for the feed. */
  private readonly waiting = new Map<Viewer, Waiting>();
  private isClosed = false;

  constructor(options: RemoteStreamsOptions) {
    const onTick = (_: number, now: number): void => this.broadcaster?.publish(now);
    RemoteFrames.open({ ...options, onTick }).then(
      (feed) => this.begin(feed),
      // The bus has been closed.
      () => {},
    );
  }

  add(viewer: Viewer, viewport: Viewport, now: number, options?: AddOptions): void {
    if (this.broadcaster) this.broadcaster.add(viewer, viewport, now, options);
    else if (!this.isClosed) this.waiting.set(viewer, { viewport, now, options });
  }

  remove(viewer: Viewer): void {
    this.waiting.delete(viewer);
    this.broadcaster?.remove(viewer);
  }

  setViewport(viewer: Viewer, viewport: Viewport | undefined, now: number): void {
    this.broadcaster?.setViewport(viewer, viewport, now);
    const waiting = this.waiting.get(viewer);
    if (waiting) waiting.look = (broadcaster) => broadcaster.setViewport(viewer, viewport, now);
  }

  acknowledge(viewer: Viewer, tick: number, now: number): void {
    this.broadcaster?.acknowledge(viewer, tick, now);
  }

  resync(viewer: Viewer, chunks: readonly number[]): void {
    this.broadcaster?.resync(viewer, chunks);
  }

  close(): void {
    this.isClosed = true;
    this.waiting.clear();
    this.feed?.close();
  }

  private begin(feed: RemoteFrames): void {
    this.feed = feed;
    if (this.isClosed) {
      feed.close();
      return;
    }
    const broadcaster = new RoomBroadcaster(feed);
    this.broadcaster = broadcaster;
    for (const [viewer, { viewport, now, options, look }] of this.waiting) {
      broadcaster.add(viewer, viewport, now, options);
      look?.(broadcaster);
    }
    this.waiting.clear();
  }
}
