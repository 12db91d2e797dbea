/** The session of one connection: validates incoming messages and passes them to the room. */
import type { Socket } from 'socket.io';
import { DEFAULTS } from '../../../shared/defaults.ts';
import {
  type Command,
  type CommandName,
  isCommandName,
} from '../../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import { type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import { PROTOCOL_VERSION } from '../../../shared/protocol/version.ts';
import type { ParticipantView } from '../../../shared/vocabulary.ts';
import type { Clock } from '../../platform/clock.ts';
import type { RoomCommand } from '../../world/commands.ts';
import type { ConnectionRateLimiter } from '../admission/connection-rate-limiter.ts';
import { parseCommand } from '../commands/parse-command.ts';
import { cleanName, type NameCheck } from '../names/display-names.ts';
import type { RoomServer } from '../room-server.ts';
import type { Connection, Outbox } from '../streaming/outbox.ts';
import type { JoinRequest, RoomClient } from './room-client.ts';

/** Packets that may wait in the transport before frames are held back. */
const MAX_BUFFERED_PACKETS = 8;

/** Refusals that end the connection. The page reconnects later, or not at all. */
const FINAL: ReadonlySet<Reason> = new Set([
  'protocol-version',
  'room-closed',
  'elsewhere',
  'sent-away',
  'no-spectators',
]);

/** What a page sends without anything that its visitor does. */
const SENT_BY_ITSELF: ReadonlySet<CommandName> = new Set(['received', 'resync']);
/** What a visitor is told who has come in without the name they asked for. */
const NOTICE_OF = { 'bad-name': 'name-hidden', 'reserved-name': 'name-reserved' } as const;

/** Finds the servers of open rooms. */
export interface RoomDirectory {
  /** @throws Refusal no-such-room, room-closed */
  findServer(room: string): RoomServer;
}

/** The id of a message that may be invalid otherwise; undefined if it has none. */
function readId(message: unknown): number | undefined {
  const id = (message as { id?: unknown } | null)?.id;
  return Number.isSafeInteger(id) && (id as number) >= 0 ? (id as number) : undefined;
}

/** Decodes chunk checksums: two bytes each, little-endian. */
function checksOf(holds: Uint8Array): number[] {
  return Array.from(
    { length: holds.length >> 1 },
    (_, i) => holds[2 * i] | (holds[2 * i + 1] << 8),
  );
}

export interface ClientSessionOptions {
  readonly socket: Socket;
  readonly rooms: RoomDirectory;
  readonly clock: Clock;
  readonly rateLimiter: ConnectionRateLimiter;
  readonly names: NameCheck;
  readonly outbox: Outbox;
}

/** Handles one client from connection to disconnection. */
export class ClientSession implements RoomClient {
  private readonly socket: Socket;
  private readonly rateLimiter: ConnectionRateLimiter;
  /** The joined room, and the participant once the client has a slot. */
  private roomServer: RoomServer | undefined;
  private participant: ParticipantView | undefined;
  /** Walls and spectators only watch and are no participants. */
  private onlyWatches = false;
  /** Cancels the timeout for the join; undefined once joined. */
  private cancelTimeout: (() => void) | undefined;
  private ended = false;
  /** A hook is deciding about the join. */
  private isJoining = false;

  constructor(private readonly options: ClientSessionOptions) {
    const { socket } = options;
    this.socket = socket;
    this.rateLimiter = options.rateLimiter;
    this.cancelTimeout = options.clock.after(DEFAULTS.net.joinTimeout, () => {
      this.refuse(new Refusal('join-timeout'));
      this.end();
    });
    // This middleware never calls `next`, so no client-chosen event name reaches the emitter.
    socket.use(([name, ...messages]) => this.receive(name, messages));
    socket.on('disconnect', () => {
      this.clearJoinTimeout();
      this.roomServer?.leave(this);
      this.roomServer = undefined;
      this.participant = undefined;
      this.onlyWatches = false;
    });
    const { join } = socket.handshake.auth;
    // The handshake with its headers would stay in memory as long as the connection.
    Object.assign(socket, { handshake: undefined });
    // A join in the handshake saves a round trip.
    if (join !== undefined) this.receive('join', [join]);
  }

  /** Address key of the connection. */
  get address(): string {
    return this.rateLimiter.address;
  }

  /** Whether the transport can take more frames. */
  get writable(): boolean {
    return this.connection.writeBuffer.length < MAX_BUFFERED_PACKETS;
  }

  /** Sends an event; too many rejections end the connection. */
  send<N extends EventName>(event: N, message: Event<N>): void {
    this.options.outbox.send(this.connection, event, message);
    if (event === 'rejected') this.rejected(message as Event<'rejected'>);
  }

  /** Sends an encoded frame. */
  sendFrame(frame: Uint8Array): void {
    this.options.outbox.send(this.connection, 'frame', frame);
  }

  /** Sends the reason and closes the connection. */
  disconnect(reason: Reason): void {
    this.roomServer = undefined;
    this.refuse(new Refusal(reason));
    this.end();
  }

  private get connection(): Connection & { readonly writeBuffer: readonly unknown[] } {
    return this.socket.conn as never;
  }

  private receive(name: unknown, messages: unknown[]): void {
    // Messages received before the end of the connection may still arrive here.
    if (this.ended) return;
    try {
      this.rateLimiter.charge('messagesPerSecond');
      if (!isCommandName(name)) throw new Refusal('unknown-message');
      if (messages.length !== 1) throw new Refusal('bad-message', 'one argument expected');
      const command = parseCommand(name, messages[0]);
      this.rateLimiter.chargeCommand(name, command);
      this.handle(name, command);
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
    if (!roomServer || !(me || this.onlyWatches)) throw new Refusal('not-joined');
    if (me && !SENT_BY_ITSELF.has(name)) roomServer.touch(this);
    if (name === 'received') roomServer.acknowledge(this, (message as Command<'received'>).tick);
    else if (name === 'resync')
      roomServer.broadcaster.resync(this, (message as Command<'resync'>).chunks);
    else if (name === 'look') {
      const look = message as Command<'look'>;
      roomServer.setViewport(this, look.hidden ? undefined : look);
    } else if (!me) throw new Refusal('only-watches', name);
    else if (name === 'cursor') roomServer.moveCursor(me.id, message as Command<'cursor'>);
    else if (name === 'busy') roomServer.setBusy(this, (message as Command<'busy'>).busy);
    else if (name === 'beacon') roomServer.beacon(this, message as Command<'beacon'>);
    else if (name === 'follow') roomServer.follow(this, message as Command<'follow'>);
    else if (name === 'report') roomServer.report(this, message as Command<'report'>);
    else if (name === 'keep') roomServer.keep(this, message as Command<'keep'>);
    else if (name === 'name') this.rename(roomServer, message as Command<'name'>);
    else if (name === 'preview') roomServer.preview(this, message as Command<'preview'>);
    else if (name === 'draw') roomServer.draw(this, message as Command<'draw'>);
    else {
      const { id, ...wish } = message as Command<typeof name>;
      roomServer.dispatcher.dispatch(this, id, { what: name, by: me, ...wish } as RoomCommand);
    }
  }

  /** @throws Refusal bad-name, reserved-name */
  private rename(roomServer: RoomServer, { id, name }: Command<'name'>): void {
    const cleaned = cleanName(name);
    const wrong = this.options.names(cleaned);
    if (wrong) throw new Refusal(wrong);
    this.participant = roomServer.rename(this, id, cleaned);
  }

  private join({ protocol, room, name, as, pass, resume, mark, holds }: Command<'join'>): void {
    if (protocol !== PROTOCOL_VERSION) {
      throw new Refusal('protocol-version', `server ${PROTOCOL_VERSION}, page ${protocol}`);
    }
    if (this.roomServer || this.isJoining) throw new Refusal('already-joined');
    const roomServer = this.options.rooms.findServer(room);
    // Others at its address must not keep a wall out that has a place.
    if (pass === undefined || !roomServer.walls.accepts(pass)) this.rateLimiter.join();
    if (as !== undefined) {
      const { address } = this.rateLimiter;
      const heldChecksums = holds && checksOf(holds);
      if (as === 'spectator') {
        roomServer.spectators.add(this, { address, deviceMark: mark, heldChecksums });
      } else {
        roomServer.walls.addWall(this, { address, pass, isView: as === 'view', heldChecksums });
      }
      this.onlyWatches = true;
      this.roomServer = roomServer;
      this.clearJoinTimeout();
      return;
    }
    const cleaned = cleanName(name);
    const wrong = this.options.names(cleaned);
    const request: JoinRequest = {
      name: wrong ? '' : cleaned,
      resumeToken: resume,
      deviceMark: mark,
      heldChecksums: holds && checksOf(holds),
      address: this.rateLimiter.address,
      onSeated: (you: ParticipantView) => {
        this.participant = you;
        if (wrong) this.send('notice', { notice: NOTICE_OF[wrong] });
      },
    };
    const approval = roomServer.hooks?.join(request.name);
    if (!approval) {
      this.enter(roomServer, request);
      return;
    }
    this.isJoining = true;
    approval
      .finally(() => {
        this.isJoining = false;
      })
      .then(() => {
        // The room may have closed in the meantime.
        if (!this.ended && this.socket.connected)
          this.enter(this.options.rooms.findServer(room), request);
      })
      .catch((error: unknown) => {
        if (!(error instanceof Refusal)) throw error;
        if (this.ended) return;
        this.refuse(error);
        if (FINAL.has(error.reason)) this.end();
      });
  }

  private clearJoinTimeout(): void {
    this.cancelTimeout?.();
    this.cancelTimeout = undefined;
  }

  /** @throws Refusal room-full */
  private enter(roomServer: RoomServer, request: JoinRequest): void {
    roomServer.admission.join(this, request);
    this.roomServer = roomServer;
    this.clearJoinTimeout();
  }

  private refuse({ reason, detail }: Refusal, id?: number): void {
    this.send('rejected', { reason, ...(detail && { detail }), ...(id !== undefined && { id }) });
  }

  /** Counts a rejection that was sent, and closes the connection after too many. */
  private rejected({ reason }: Event<'rejected'>): void {
    if (this.ended || !this.rateLimiter.rejected(reason)) return;
    this.ended = true;
    const abuse: Event<'rejected'> = { reason: 'abuse' };
    this.options.outbox.send(this.connection, 'rejected', abuse);
    this.end();
  }

  private end(): void {
    this.ended = true;
    this.options.outbox.flushNow(this.connection);
    this.socket.disconnect(true);
  }
}
