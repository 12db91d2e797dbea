/** The session of one connection. Validates the client's messages and passes them to the room. */
import type { Socket } from 'socket.io';
import { type Command, isCommandName } from '../../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import { PROTOCOL_VERSION, type Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import type { Clock } from '../../platform/clock.ts';
import {
  chargeCommand,
  isRingMessage,
  type MessageName,
  parseCommand,
  type RoomDirectory,
  type RoomSession,
  readId,
} from '../commands/client-messages.ts';
import type { ConnectionRateLimiter } from '../limits/connection-limits.ts';
import { cleanName, type NameCheck } from '../names/display-names.ts';
import type { Connection, Outbox } from '../streaming/outbox.ts';
import { STREAM } from '../streaming/viewer-stream.ts';
import { type RoomClient, rejectionOf } from './room-client.ts';
import { TableRings } from './table-rings.ts';

/** Time in which a client must join a room before its connection is closed, in ms. */
export const JOIN_TIMEOUT = 10_000;

/**
 * Reasons of refusals that close the connection. From the reason, the page knows whether to
 * reconnect.
 */
const FINAL: ReadonlySet<Reason> = new Set([
  'protocol-version',
  'room-closed',
  'elsewhere',
  'sent-away',
  'no-spectators',
]);

/**
 * Notices to visitors whose name was rejected, by the reason for the rejection. The visitor joins
 * without a name.
 */
const NOTICE_OF = { 'bad-name': 'name-hidden', 'reserved-name': 'name-reserved' } as const;

export class ClientSession implements RoomClient {
  private readonly socket = this.options.socket;
  private readonly rateLimiter = this.options.rateLimiter;
  /** The session in the room that the client last asked to join, if any. */
  private session: RoomSession | undefined;
  /** Room and pass, if the client is a touch table. */
  private table: { readonly room: string; readonly pass: string } | undefined;
  /** The people (rings) at the touch table; undefined until the table has joined the room. */
  private rings: TableRings | undefined;
  /** Cancels the time limit for joining; undefined once the client has joined. */
  private cancelTimeout: (() => void) | undefined;
  private ended = false;

  constructor(
    private readonly options: {
      readonly socket: Socket;
      readonly rooms: RoomDirectory;
      readonly clock: Clock;
      readonly rateLimiter: ConnectionRateLimiter;
      readonly names: NameCheck;
      readonly outbox: Outbox;
    },
  ) {
    const { socket } = options;
    this.cancelTimeout = options.clock.after(JOIN_TIMEOUT, () => {
      this.sendRefusal(new Refusal('join-timeout'));
      this.end();
    });
    // Never call `next` in this middleware: `next` would emit the event on the socket, and a client
    // could trigger any of the socket's events by name.
    socket.use(([name, ...messages]) => this.receive(name, messages));
    socket.on('disconnect', () => {
      // Socket.IO may still pass on earlier messages. Ignore these messages: a late join would take
      // a seat that is never freed.
      this.ended = true;
      this.clearJoinTimeout();
      this.rings?.close();
      this.session?.leave();
      this.session = undefined;
    });
    const { join } = socket.handshake.auth;
    // Drop the handshake, which Socket.IO would keep in memory as long as the connection lasts.
    Object.assign(socket, { handshake: undefined });
    // A join may be part of the handshake, which saves a round trip.
    if (join !== undefined) this.receive('join', [join]);
  }

  get address(): string {
    return this.rateLimiter.address;
  }

  get writable(): boolean {
    return this.connection.writeBuffer.length < STREAM.maxBufferedPackets;
  }

  /** Sends an event to the client. Closes the connection after too many rejections. */
  send<N extends EventName>(event: N, message: Event<N>): void {
    this.options.outbox.send(this.connection, event, message);
    if (event === 'rejected') this.rejected(message as Event<'rejected'>);
  }

  sendFrame(frame: Uint8Array): void {
    this.options.outbox.send(this.connection, 'frame', frame);
  }

  /** Sends the client a reason and closes the connection. */
  disconnect(reason: Reason): void {
    this.session = undefined;
    this.sendRefusal(new Refusal(reason));
    this.end();
  }

  /** Makes the page reconnect, because this server is shutting down. */
  moveAway(): void {
    if (this.ended) return;
    this.sendRefusal(new Refusal('shutting-down'));
    this.end();
  }

  /**
   * Ends the time limit for joining and, for a touch table, starts handling the table's rings.
   * Called when the room has admitted the client to a seat or the queue.
   */
  entered(): void {
    this.clearJoinTimeout();
    if (!this.table) return;
    const { rooms } = this.options;
    this.rings ??= new TableRings({
      ...{ ...this.table, rooms },
      newAllowance: () => this.rateLimiter.another(),
      send: (message) => {
        this.send('ring', message);
        if (message.name === 'rejected') this.rejected(message.message as Event<'rejected'>);
      },
    });
  }

  /** Sends a refusal. If the reason is in `FINAL`, closes the connection. */
  refuse(refusal: Refusal, id?: number): void {
    if (this.ended) return;
    this.sendRefusal(refusal, id);
    if (FINAL.has(refusal.reason)) this.end();
  }

  private get connection(): Connection & { readonly writeBuffer: readonly unknown[] } {
    return this.socket.conn as never;
  }

  private receive(name: unknown, messages: unknown[]): void {
    // Socket.IO may pass on messages after the connection has ended.
    if (this.ended) return;
    try {
      // Messages of a touch table's ring count towards the limits of that ring only.
      if (name !== 'ring' || !this.rings) this.rateLimiter.charge('messagesPerSecond');
      if (!isCommandName(name)) throw new Refusal('unknown-message');
      if (messages.length !== 1) throw new Refusal('bad-message', 'one argument expected');
      const command = parseCommand(name, messages[0]);
      if (name === 'join') this.join(command as Command<'join'>);
      else if (isRingMessage(name)) {
        if (!this.rings) throw new Refusal('not-joined', 'not a table');
        this.rings.handle(name, command as Command<typeof name>);
      } else {
        chargeCommand(this.rateLimiter, name, command);
        this.handle(name, command as Command<typeof name>);
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.refuse(error, readId(messages[0]));
    }
  }

  /**
   * Passes a message to the client's session in the room. Cleans and checks a new name first.
   * @throws Refusal
   */
  private handle<N extends MessageName>(name: N, message: Command<N>): void {
    if (!this.session) throw new Refusal('not-joined');
    if (name !== 'name') {
      this.session.handle(name, message);
      return;
    }
    const { id, name: wished } = message as Command<'name'>;
    const cleaned = cleanName(wished);
    const wrong = this.options.names(cleaned);
    if (wrong) throw new Refusal(wrong);
    this.session.handle('name', { id, name: cleaned });
  }

  /**
   * Asks a room to admit the client. If the visitor's name is not allowed, the client joins without
   * a name.
   *
   * @throws Refusal
   */
  private join({ protocol, room, name, ...wished }: Command<'join'>): void {
    if (protocol !== PROTOCOL_VERSION) {
      throw new Refusal('protocol-version', `server ${PROTOCOL_VERSION}, page ${protocol}`);
    }
    if (this.session?.isOpen) throw new Refusal('already-joined');
    const { rooms, names } = this.options;
    const { as, pass } = wished;
    if (this.rateLimiter.onlyWatches && as !== 'spectator') throw new Refusal('only-watches');
    const session = rooms.open(room, this);
    // Do not count joins with a valid pass, which walls and touch tables have, towards the limit of
    // the network address. Otherwise, other clients at the address could keep a wall out.
    if (pass === undefined || !rooms.acceptsPass(room, pass)) this.rateLimiter.join();
    const cleaned = as === undefined ? cleanName(name) : '';
    const wrong = as === undefined ? names(cleaned) : undefined;
    this.session = session;
    this.table = as === 'table' ? { room, pass: pass ?? '' } : undefined;
    session.join({
      ...wished,
      name: wrong ? '' : cleaned,
      notice: wrong && NOTICE_OF[wrong],
    });
  }

  private clearJoinTimeout(): void {
    this.cancelTimeout?.();
    this.cancelTimeout = undefined;
  }

  private sendRefusal(refusal: Refusal, id?: number): void {
    this.send('rejected', rejectionOf(refusal, id));
  }

  /** Counts a rejection sent to the client. Closes the connection after too many rejections. */
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
