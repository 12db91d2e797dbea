/**
 * One connection of this server in a room of another one. It repeats unanswered commands when the
 * link to the room is replaced, and never decides anything itself. Start at `RemoteSession`.
 */
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { Command, CommandName } from '../../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import { packPointer } from '../../../shared/protocol/pointers.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { Clock } from '../../platform/clock.ts';
import type { MessageName } from '../commands/client-messages.ts';
import type { RoomSession } from '../sessions/local-session.ts';
import type { Entry, RoomClient } from '../sessions/room-client.ts';
import type { ToRoom } from './messages.ts';

/** The room, as a session uses it. */
export interface SessionRoom {
  /** Takes a session in, and has it join. @throws Refusal elsewhere */
  add(session: RemoteSession): void;
  remove(session: RemoteSession): void;
  /** Sends something at the end of this turn. */
  send(item: ToRoom): void;
  /** Takes a message that concerns this server. @returns whether it was one */
  handle<N extends MessageName>(session: RemoteSession, name: N, message: Command<N>): boolean;
}

/** Commands that must not be executed twice, but that the room does not remember. */
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

  /** @param connection its number, which no other connection of this server has had */
  constructor(
    readonly connection: number,
    readonly client: RoomClient,
    private readonly room: SessionRoom,
  ) {}

  get isOpen(): boolean {
    return this.entry !== undefined;
  }

  /** Takes the checksums of the picture that the page showed when it joined. Only the first frames use them. */
  takeHolds(): Uint8Array | undefined {
    const holds = this.entry?.holds;
    this.entry &&= { ...this.entry, holds: undefined };
    return holds;
  }

  /** Its join, as it is sent. */
  get joinItem(): ToRoom {
    const { connection, client } = this;
    // Its frames are made here.
    const { holds: _, ...entry } = this.entry!;
    return { what: 'join', connection, entry: { ...entry, address: client.address } };
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

  handle<N extends MessageName>(name: N, message: Command<N>): void {
    const { connection, room } = this;
    if (!this.hasEntered) throw new Refusal('not-joined');
    if ('id' in message) this.ask(name, message);
    else if (!room.handle(this, name, message) && !this.hasRejoined) {
      room.send({ what: 'command', connection, name, message });
    }
  }

  leave(): void {
    if (!this.entry) return;
    this.entry = undefined;
    this.room.remove(this);
    this.room.send({ what: 'leave', connection: this.connection });
  }

  /** It joins again over a new link. */
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

const { cursorInterval } = DEFAULTS.net;

/** Gathers what clients report many times a second: the frames they have drawn, and their cursors. */
export class GatheredReports {
  private readonly drawn = new Map<number, { tick: number; frames: number }>();
  private readonly cursors = new Map<number, Command<'cursor'>>();
  private cursorsSentAt = Number.NEGATIVE_INFINITY;
  private cancelCursors: (() => void) | undefined;

  /** @param send called when clients have moved their cursors */
  constructor(
    private readonly clock: Clock,
    private readonly send: (item: ToRoom) => void,
  ) {}

  /** A client has drawn the frame of a tick. */
  draw(connection: number, tick: number): void {
    const frames = (this.drawn.get(connection)?.frames ?? 0) + 1;
    this.drawn.set(connection, { tick, frames });
  }

  /** Sends where a client points: at once, or soon after the last time. */
  moveCursor(connection: number, cursor: Command<'cursor'>): void {
    this.cursors.set(connection, cursor);
    const left = this.cursorsSentAt + cursorInterval - this.clock.now();
    // Those that come in the same turn go with the first.
    this.cancelCursors ??= this.clock.after(Math.max(0, left), () => this.sendCursors());
  }

  /** Takes what clients have drawn since the last call. */
  takeDrawn(): ToRoom[] {
    if (this.drawn.size === 0) return [];
    const clients = [...this.drawn].map(([connection, { tick, frames }]) => {
      return [connection, tick, frames] as [number, number, number];
    });
    this.drawn.clear();
    return [{ what: 'drawn', clients }];
  }

  /** Drops what a client has reported so far. */
  forget(connection: number): void {
    this.drawn.delete(connection);
    this.cursors.delete(connection);
  }

  /** Drops what all clients have reported so far. */
  clear(): void {
    this.drawn.clear();
    this.cursors.clear();
    this.cancelCursors?.();
    this.cancelCursors = undefined;
  }

  private sendCursors(): void {
    this.cancelCursors = undefined;
    if (this.cursors.size === 0) return;
    this.cursorsSentAt = this.clock.now();
    const cursors = [...this.cursors].map(([id, cursor]) => packPointer({ ...cursor, id }));
    this.cursors.clear();
    this.send({ what: 'cursors', cursors });
  }
}
