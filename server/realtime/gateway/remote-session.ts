/**
 * A connection of this server in a room that runs on another server. After a new link has replaced
 * the previous one, the session repeats commands that are still unanswered. It decides nothing
 * itself. Start at `RemoteSession`.
 */

import { randomInt } from 'node:crypto';
import type { Command, CommandName } from '../../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import { POINTER_INTERVAL, packPointer } from '../../../shared/protocol/pointers.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';
import type { Clock } from '../../platform/clock.ts';
import { QUEUE_LIMITS } from '../../world/commands.ts';
import type { MessageName } from '../commands/client-messages.ts';
import type { RoomSession } from '../sessions/local-session.ts';
import type { Entry, RoomClient } from '../sessions/room-client.ts';
import type { ToRoom } from './messages.ts';

/** The parts of a remote room that its sessions use. */
export interface SessionRoom {
  /** Adds a session and sends its join. @throws Refusal elsewhere */
  add(session: RemoteSession): void;
  remove(session: RemoteSession): void;
  /** Sends an item to the room at the end of this turn of the event loop. */
  send(item: ToRoom): void;
  /**
   * Handles a message, if this server processes messages of its type itself.
   *
   * @returns false if the message is for the room's server
   */
  handle<N extends MessageName>(session: RemoteSession, name: N, message: Command<N>): boolean;
}

/**
 * Commands that must not be executed twice, although the room does not recognise repetitions of
 * them.
 */
const DONE_EACH_TIME: ReadonlySet<CommandName> = new Set(['beacon', 'draw', 'preview']);

/** A command that expects an answer. */
type Asked = readonly [name: CommandName, message: { readonly id: number }];

export class RemoteSession implements RoomSession {
  /** Whether the room has admitted the session, perhaps only to its queue. */
  hasEntered = false;
  /**
   * Whether the session has received its welcome, and therefore also receives events for everybody.
   */
  isPresent = false;
  /** When the session asked to join, in ms. */
  joinedAt = 0;
  /** Size of the room; undefined before the welcome. */
  size: Pick<Event<'welcome'>['room'], 'width' | 'height'> | undefined;
  private entry: Entry | undefined;
  /** Unanswered commands. The keys are the commands' ids. */
  private readonly unanswered = new Map<number, Asked>();
  /**
   * Session id for the commands of a client that names no session: see `Command<'join'>`. These
   * commands, too, may be repeated to a new leader and must be executed only once.
   */
  private readonly commandSession = randomInt(2 ** 32);
  /** Whether the session is joining again over a new link, so that commands may have been lost. */
  private hasRejoined = false;

  /** @param connection id that no other connection of this server has had */
  constructor(
    readonly connection: number,
    readonly client: RoomClient,
    private readonly room: SessionRoom,
  ) {}

  get isOpen(): boolean {
    return this.entry !== undefined;
  }

  /**
   * Returns the checksums of the picture that the page showed when it joined. Returns them only
   * once, because only the first frames use them.
   */
  takeHolds(): Uint8Array | undefined {
    const holds = this.entry?.holds;
    this.entry &&= { ...this.entry, holds: undefined };
    return holds;
  }

  /** The item that asks the room to let the session join. */
  get joinItem(): ToRoom {
    const { connection, client } = this;
    // Omit the checksums, because this server makes the frames.
    const { holds: _, ...entry } = this.entry!;
    const { session = this.commandSession } = entry;
    return { what: 'join', connection, entry: { ...entry, session, address: client.address } };
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

  /** Prepares the session to join again over a new link. */
  rejoins(): void {
    this.isPresent = false;
    if (!this.hasEntered || !this.entry) return;
    this.hasRejoined = true;
    const { notice: _, holds: __, ...entry } = this.entry;
    this.entry = entry;
  }

  /** Handles an event from the room. */
  receive(name: EventName, message: unknown): void {
    const { client } = this;
    if (name === 'accepted' || name === 'rejected') {
      const { id } = message as Event<'rejected'>;
      // A repeated command may be answered twice, so pass on only the first answer. Messages that
      // answer no command have no id, or id 0.
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

  /** Handles the room's refusal of a command. */
  refusedCommand(refusal: Refusal, id: number): void {
    if (this.answered(id, 'rejected')) this.client.refuse(refusal, id);
  }

  /** Handles the room's refusal of the session's join. */
  refused(refusal: Refusal): void {
    const { client } = this;
    const wasIn = this.hasEntered;
    this.entry = undefined;
    this.hasEntered = false;
    // A page that is already in the room has not asked to join again and cannot handle a refused
    // join, so disconnect it.
    if (wasIn) client.disconnect(refusal.reason);
    else client.refuse(refusal);
  }

  /** @throws Refusal too-fast */
  private ask(...asked: Asked): void {
    // The page has repeated a command that is still unanswered, so do not send it again.
    if (this.unanswered.has(asked[1].id)) return;
    // The leader may be unreachable for long, so limit the number of unanswered commands.
    if (this.unanswered.size >= QUEUE_LIMITS.maxQueuedPerParticipant) {
      throw new Refusal('too-fast', 'unanswered');
    }
    this.unanswered.set(asked[1].id, asked);
    if (!this.hasRejoined) this.sendCommand(asked);
  }

  private sendCommand([name, message]: Asked): void {
    this.room.send({ what: 'command', connection: this.connection, name, message });
  }

  /** Stops waiting for the answer to a command. @returns whether the answer was expected */
  private answered(id: number, name: EventName): boolean {
    const asked = this.unanswered.get(id);
    if (name === 'accepted' && asked?.[0] === 'name' && this.entry) {
      this.entry = { ...this.entry, name: (asked[1] as Command<'name'>).name };
    }
    return this.unanswered.delete(id);
  }

  /**
   * Repeats unanswered commands, except those in `DONE_EACH_TIME`. The room recognises repeated
   * commands that change its cells. All other commands may be executed twice.
   */
  private sendAgain(): void {
    this.hasRejoined = false;
    for (const asked of [...this.unanswered.values()]) {
      const [name, { id }] = asked;
      if (!DONE_EACH_TIME.has(name)) this.sendCommand(asked);
      // Nobody knows whether this command was executed, so refuse it. If a drawing was accepted,
      // its seed appears in the visitor's hand anyway.
      else if (this.unanswered.delete(id)) this.client.refuse(new Refusal('room-busy'), id);
    }
  }
}

/**
 * Collects reports that clients send often: which frames they have drawn, and where their cursors
 * are.
 */
export class GatheredReports {
  private readonly drawn = new Map<number, { tick: number; frames: number }>();
  private readonly cursors = new Map<number, Command<'cursor'>>();
  private cursorsSentAt = Number.NEGATIVE_INFINITY;
  private cancelCursors: (() => void) | undefined;

  /** @param send called with the cursors that have moved */
  constructor(
    private readonly clock: Clock,
    private readonly send: (item: ToRoom) => void,
  ) {}

  /** Records that a client has drawn the frame of a tick. */
  draw(connection: number, tick: number): void {
    const frames = (this.drawn.get(connection)?.frames ?? 0) + 1;
    this.drawn.set(connection, { tick, frames });
  }

  /**
   * Sends a client's cursor immediately if `POINTER_INTERVAL` has passed since the last message,
   * otherwise once it has passed.
   */
  moveCursor(connection: number, cursor: Command<'cursor'>): void {
    this.cursors.set(connection, cursor);
    const left = this.cursorsSentAt + POINTER_INTERVAL - this.clock.now();
    // Use a timer even if no time is left, so that cursors that move later in this turn are sent in
    // the same message.
    this.cancelCursors ??= this.clock.after(Math.max(0, left), () => this.sendCursors());
  }

  /** Returns the frames drawn since the last call, as items for the room. */
  takeDrawn(): ToRoom[] {
    if (this.drawn.size === 0) return [];
    const clients = [...this.drawn].map(([connection, { tick, frames }]) => {
      return [connection, tick, frames] as [number, number, number];
    });
    this.drawn.clear();
    return [{ what: 'drawn', clients }];
  }

  /** Drops the unsent reports of one client. */
  forget(connection: number): void {
    this.drawn.delete(connection);
    this.cursors.delete(connection);
  }

  /** Drops the unsent reports of all clients. */
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
