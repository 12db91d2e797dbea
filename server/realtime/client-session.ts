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
import type { ConnectionRateLimiter } from './admission/connection-rate-limiter.ts';
import type { RoomServer } from './room-server.ts';
import { cleanName, type NameCheck } from './sessions/display-names.ts';
import type { JoinRequest, RoomClient } from './sessions/room-client.ts';
import type { Connection, Outbox } from './streaming/outbox.ts';

/** Packets that may wait in the transport before frames are held back. */
const MAX_BUFFERED_PACKETS = 8;

/** Refusals that end the connection: the page comes back later, or never. */
const FINAL: ReadonlySet<Reason> = new Set(['protocol-version', 'room-closed', 'sent-away']);

/** Where rooms are found. */
export interface RoomDirectory {
  /** @throws Refusal no-such-room, room-closed */
  findServer(room: string): RoomServer;
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

export class ClientSession implements RoomClient {
  /** The room that she has come to, and who she is there once she has a seat. */
  private roomServer: RoomServer | undefined;
  private participant: ParticipantView | undefined;
  /** A wall is nobody, and only looks. */
  private isWall = false;
  /** Of how long she may take to join; she has, when it is gone. */
  private cancelTimeout: (() => void) | undefined;
  private ended = false;
  /** Somebody is asked whether she may come in. */
  private isJoining = false;

  constructor(
    private readonly socket: Socket,
    private readonly roomServers: RoomDirectory,
    clock: Clock,
    private readonly rateLimiter: ConnectionRateLimiter,
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
      this.roomServer?.leave(this);
      this.roomServer = undefined;
      this.participant = undefined;
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

  disconnect(reason: Reason): void {
    this.roomServer = undefined;
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
      this.rateLimiter.message();
      if (!isCommandName(name)) throw new Refusal('unknown-message');
      if (messages.length !== 1) throw new Refusal('bad-message', 'one argument expected');
      const parsed = v.safeParse(COMMANDS[name], messages[0], { abortEarly: true });
      if (!parsed.success) {
        const [issue] = parsed.issues;
        throw new Refusal('bad-message', `${v.getDotPath(issue) ?? name}: ${issue.message}`);
      }
      this.rateLimiter.command(name, parsed.output);
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
    const { roomServer, participant: me } = this;
    if (!roomServer || !(me || this.isWall)) throw new Refusal('not-joined');
    if (name === 'received') roomServer.acknowledge(this, (message as Command<'received'>).tick);
    else if (name === 'resync') roomServer.resync(this, (message as Command<'resync'>).chunks);
    else if (name === 'look') {
      const look = message as Command<'look'>;
      roomServer.setViewport(this, look.hidden ? undefined : look);
    } else if (!me) throw new Refusal('only-watches', name);
    else if (name === 'cursor') roomServer.moveCursor(me.id, message as Command<'cursor'>);
    else if (name === 'beacon') roomServer.beacon(this, message as Command<'beacon'>);
    else if (name === 'keep') roomServer.keep(this, message as Command<'keep'>);
    else if (name === 'name') this.rename(roomServer, message as Command<'name'>);
    else if (name === 'preview') roomServer.preview(this, message as Command<'preview'>);
    else if (name === 'draw') roomServer.draw(this, message as Command<'draw'>);
    else {
      const { id, ...wish } = message as Command<typeof name>;
      roomServer.dispatch(this, id, { what: name, by: me, ...wish } as RoomCommand);
    }
  }

  /** @throws Refusal bad-name */
  private rename(roomServer: RoomServer, { id, name }: Command<'name'>): void {
    const cleaned = cleanName(name);
    if (!this.names(cleaned)) throw new Refusal('bad-name');
    this.participant = roomServer.rename(this, id, cleaned);
  }

  private join({ protocol, room, name, as, resume, mark, holds }: Command<'join'>): void {
    if (protocol !== PROTOCOL_VERSION) {
      throw new Refusal('protocol-version', `server ${PROTOCOL_VERSION}, page ${protocol}`);
    }
    if (this.roomServer || this.isJoining) throw new Refusal('already-joined');
    const roomServer = this.roomServers.findServer(room);
    this.rateLimiter.join();
    if (as === 'wall') {
      roomServer.addWall(this, this.rateLimiter.address, holds && checksOf(holds));
      this.isWall = true;
      this.roomServer = roomServer;
      this.arrived();
      return;
    }
    const cleaned = cleanName(name);
    const shown = this.names(cleaned);
    const arrival: JoinRequest = {
      name: shown ? cleaned : '',
      resumeToken: resume,
      deviceMark: mark,
      heldChecksums: holds && checksOf(holds),
      address: this.rateLimiter.address,
      onSeated: (you: ParticipantView) => {
        this.participant = you;
        if (!shown) this.send('notice', { notice: 'name-hidden' });
      },
    };
    const asked = roomServer.hooks?.join(arrival.name);
    if (!asked) {
      this.enter(roomServer, arrival);
      return;
    }
    this.isJoining = true;
    asked
      .finally(() => {
        this.isJoining = false;
      })
      .then(() => {
        // The room may have closed meanwhile.
        if (!this.ended && this.socket.connected)
          this.enter(this.roomServers.findServer(room), arrival);
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
  private enter(roomServer: RoomServer, request: JoinRequest): void {
    roomServer.join(this, request);
    this.roomServer = roomServer;
    this.arrived();
  }

  private refuse({ reason, detail }: Refusal, id?: number): void {
    this.send('rejected', { reason, ...(detail && { detail }), ...(id !== undefined && { id }) });
  }

  /** A refusal has been sent; who collects too many has to go. */
  private rejected({ reason }: Event<'rejected'>): void {
    if (this.ended || !this.rateLimiter.rejected(reason)) return;
    this.ended = true;
    const abuse: Event<'rejected'> = { reason: 'abuse' };
    this.outbox.send(this.connection, 'rejected', abuse);
    this.end();
  }

  private end(): void {
    this.ended = true;
    this.outbox.flushNow(this.connection);
    this.socket.disconnect(true);
  }
}
