/** One connection, from its first message to its last: checks what comes in, and hands it on. */
import type { Socket } from 'socket.io';
import * as v from 'valibot';
import { DEFAULTS } from '../../shared/defaults.ts';
import {
  COMMANDS,
  type Command,
  type CommandName,
  isCommandName,
} from '../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../shared/protocol/events.ts';
import { type Reason, Refusal } from '../../shared/protocol/reasons.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import type { ParticipantView } from '../../shared/vocabulary.ts';
import type { Clock } from '../platform/clock.ts';
import type { RoomCommand } from '../world/commands.ts';
import type { Guard } from './guard.ts';
import type { Lobby } from './lobby.ts';
import type { Arrival, Member } from './member.ts';
import { cleanName, type NameCheck } from './names.ts';
import type { Connection, Outbox } from './outbox.ts';

/** Packets that may wait in the transport before frames are held back. */
const MAX_BUFFERED_PACKETS = 8;

/** Refusals that end the connection: the page comes back later, or never. */
const FINAL: ReadonlySet<Reason> = new Set(['protocol-version', 'room-closed', 'sent-away']);

/** Where rooms are found. */
export interface Lobbies {
  /** @throws Refusal no-such-room, room-closed */
  find(room: string): Lobby;
}

/** The id that a client has given a message, if the message can be read that far. */
function readId(message: unknown): number | undefined {
  const id = (message as { id?: unknown } | null)?.id;
  return Number.isSafeInteger(id) && (id as number) >= 0 ? (id as number) : undefined;
}

/** Checks of chunks, two bytes each, lowest first. */
function checksOf(holds: Uint8Array): number[] {
  return Array.from(
    { length: holds.length >> 1 },
    (_, i) => holds[2 * i] | (holds[2 * i + 1] << 8),
  );
}

export class Session implements Member {
  /** The room that she has come to, and who she is there once she has a seat. */
  private lobby: Lobby | undefined;
  private me: ParticipantView | undefined;
  /** A wall is nobody, and only looks. */
  private isWall = false;
  /** Of how long she may take to join; she has, when it is gone. */
  private cancelTimeout: (() => void) | undefined;
  private ended = false;
  /** Somebody is asked whether she may come in. */
  private atTheDoor = false;

  constructor(
    private readonly socket: Socket,
    private readonly lobbies: Lobbies,
    clock: Clock,
    private readonly guard: Guard,
    private readonly names: NameCheck,
    private readonly outbox: Outbox,
  ) {
    this.cancelTimeout = clock.after(DEFAULTS.net.joinTimeout, () => {
      this.refuse(new Refusal('join-timeout'));
      this.end();
    });
    // A middleware that never calls `next`: no event of a stranger's choosing ever reaches an event emitter.
    socket.use(([name, ...messages]) => this.receive(name, messages));
    socket.on('disconnect', () => {
      this.arrived();
      this.lobby?.leave(this);
      this.lobby = undefined;
      this.me = undefined;
      this.isWall = false;
    });
    const { join } = socket.handshake.auth;
    // The handshake would be kept, with all its headers, for as long as the connection.
    Object.assign(socket, { handshake: undefined });
    // Who says with her greeting where she wants to go is spared a way there and back.
    if (join !== undefined) this.receive('join', [join]);
  }

  get writable(): boolean {
    return this.connection.writeBuffer.length < MAX_BUFFERED_PACKETS;
  }

  send<N extends EventName>(event: N, message: Event<N>): void {
    this.outbox.send(this.connection, event, message);
    if (event === 'rejected') this.rejected(message as Event<'rejected'>);
  }

  sendFrame(frame: Uint8Array): void {
    this.outbox.send(this.connection, 'frame', frame);
  }

  dismiss(reason: Reason): void {
    this.lobby = undefined;
    this.refuse(new Refusal(reason));
    this.end();
  }

  private get connection(): Connection & { readonly writeBuffer: readonly unknown[] } {
    return this.socket.conn as never;
  }

  private receive(name: unknown, messages: unknown[]): void {
    // What was read before the connection was ended is still passed on.
    if (this.ended) return;
    try {
      this.guard.message();
      if (!isCommandName(name)) throw new Refusal('unknown-message');
      if (messages.length !== 1) throw new Refusal('bad-message', 'one argument expected');
      const parsed = v.safeParse(COMMANDS[name], messages[0], { abortEarly: true });
      if (!parsed.success) {
        const [issue] = parsed.issues;
        throw new Refusal('bad-message', `${v.getDotPath(issue) ?? name}: ${issue.message}`);
      }
      this.guard.command(name, parsed.output);
      this.handle(name, parsed.output);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.refuse(error, readId(messages[0]));
      if (FINAL.has(error.reason)) this.end();
    }
  }

  private handle(name: CommandName, message: unknown): void {
    if (name === 'join') {
      this.join(message as Command<'join'>);
      return;
    }
    const { lobby, me } = this;
    if (!lobby || !(me || this.isWall)) throw new Refusal('not-joined');
    if (name === 'received') lobby.acknowledge(this, (message as Command<'received'>).tick);
    else if (name === 'resync') lobby.resync(this, (message as Command<'resync'>).chunks);
    else if (name === 'look') {
      const look = message as Command<'look'>;
      lobby.look(this, look.hidden ? undefined : look);
    } else if (!me) throw new Refusal('only-watches', name);
    else if (name === 'cursor') lobby.moveCursor(me.id, message as Command<'cursor'>);
    else if (name === 'beacon') lobby.beacon(this, message as Command<'beacon'>);
    else if (name === 'keep') lobby.keep(this, message as Command<'keep'>);
    else if (name === 'name') this.rename(lobby, message as Command<'name'>);
    else if (name === 'preview') lobby.preview(this, message as Command<'preview'>);
    else if (name === 'draw') lobby.draw(this, message as Command<'draw'>);
    else {
      const { id, ...wish } = message as Command<typeof name>;
      lobby.wish(this, id, { what: name, by: me, ...wish } as RoomCommand);
    }
  }

  /** @throws Refusal bad-name */
  private rename(lobby: Lobby, { id, name }: Command<'name'>): void {
    const cleaned = cleanName(name);
    if (!this.names(cleaned)) throw new Refusal('bad-name');
    this.me = lobby.rename(this, id, cleaned);
  }

  private join({ protocol, room, name, as, resume, holds }: Command<'join'>): void {
    if (protocol !== PROTOCOL_VERSION) {
      throw new Refusal('protocol-version', `server ${PROTOCOL_VERSION}, page ${protocol}`);
    }
    if (this.lobby || this.atTheDoor) throw new Refusal('already-joined');
    const lobby = this.lobbies.find(room);
    this.guard.join();
    if (as === 'wall') {
      lobby.hang(this, this.guard.address, holds && checksOf(holds));
      this.isWall = true;
      this.lobby = lobby;
      this.arrived();
      return;
    }
    const cleaned = cleanName(name);
    const shown = this.names(cleaned);
    const arrival = {
      name: shown ? cleaned : '',
      resume,
      holds: holds && checksOf(holds),
      address: this.guard.address,
      seated: (you: ParticipantView) => {
        this.me = you;
        if (!shown) this.send('notice', { notice: 'name-hidden' });
      },
    };
    const asked = lobby.attendant?.join(arrival.name);
    if (!asked) {
      this.enter(lobby, arrival);
      return;
    }
    this.atTheDoor = true;
    asked
      .finally(() => {
        this.atTheDoor = false;
      })
      .then(() => {
        // The room may have closed meanwhile.
        if (!this.ended && this.socket.connected) this.enter(this.lobbies.find(room), arrival);
      })
      .catch((error: unknown) => {
        if (!(error instanceof Refusal)) throw error;
        if (this.ended) return;
        this.refuse(error);
        if (FINAL.has(error.reason)) this.end();
      });
  }

  private arrived(): void {
    this.cancelTimeout?.();
    this.cancelTimeout = undefined;
  }

  /** @throws Refusal room-full */
  private enter(lobby: Lobby, arrival: Arrival): void {
    lobby.join(this, arrival);
    this.lobby = lobby;
    this.arrived();
  }

  private refuse({ reason, detail }: Refusal, id?: number): void {
    this.send('rejected', { reason, ...(detail && { detail }), ...(id !== undefined && { id }) });
  }

  /** A refusal has been sent; who collects too many has to go. */
  private rejected({ reason }: Event<'rejected'>): void {
    if (this.ended || !this.guard.refused(reason)) return;
    this.ended = true;
    const abuse: Event<'rejected'> = { reason: 'abuse' };
    this.outbox.send(this.connection, 'rejected', abuse);
    this.end();
  }

  private end(): void {
    this.ended = true;
    this.outbox.hurry(this.connection);
    this.socket.disconnect(true);
  }
}
