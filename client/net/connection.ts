/** The Socket.IO connection to one room: joins, rejoins after every break, hands messages to the model. */
import { io, type Socket } from 'socket.io-client';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Command, CommandName } from '../../shared/protocol/commands.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { parser } from './parser.ts';
import { RoomModel } from './room-model.ts';

const REDIAL = DEFAULTS.net.redial;

/** Refusals after which trying again by itself would only repeat them. */
const FINAL: ReadonlySet<string> = new Set([
  'protocol-version',
  'no-such-room',
  'replaced',
  'sent-away',
]);

/** Keeps a page's seat in a room, so that a reload finds it again. */
export interface SeatMemory {
  read(): string | undefined;
  write(token: string): void;
}

export class Connection {
  readonly model: RoomModel;
  private readonly socket: Socket;
  private joined = false;

  constructor(
    private readonly room: string,
    /** What she is called at the next join. */
    public name: string | undefined,
    private readonly seat: SeatMemory,
  ) {
    this.model = new RoomModel((event, payload) => this.send(event, payload));
    this.socket = io({
      transports: ['websocket'],
      parser,
      // Whoever the server has lost is back within five seconds after it is.
      reconnectionDelay: REDIAL.first,
      reconnectionDelayMax: REDIAL.longest,
      timeout: REDIAL.attempt,
      // With the greeting, which spares a way there and back.
      auth: (greet) => greet({ join: this.wish() }),
    });
    this.socket.on('disconnect', (reason) => {
      this.model.setConnection('reconnecting');
      // A server that closed the connection itself is not dialled again by Socket.IO: do it here, gently.
      if (reason === 'io server disconnect') setTimeout(() => this.socket.connect(), 2_000);
    });
    this.socket.on('connect_error', () => {
      if (this.joined) this.model.setConnection('reconnecting');
    });
    this.socket.onAny((event: string, payload: unknown) => this.model.receive(event, payload));
    this.model.on('welcome', ({ resume }) => {
      this.joined = true;
      this.seat.write(resume);
    });
    this.model.on('rejected', ({ reason }) => {
      if (FINAL.has(reason)) this.close();
    });
  }

  /** Sends a command; while there is no connection it is dropped, since the moment it was meant for has passed. */
  send<N extends CommandName>(event: N, payload: Command<N>): void {
    if (this.socket.connected) this.socket.emit(event, payload);
  }

  close(): void {
    this.socket.disconnect();
    this.model.setConnection('closed');
  }

  /** Who she wants to be, and where. */
  private wish(): Command<'join'> {
    const resume = this.seat.read();
    const holds = this.model.holds();
    return {
      protocol: PROTOCOL_VERSION,
      room: this.room,
      ...(this.name && { name: this.name }),
      ...(resume && { resume }),
      ...(holds && { holds }),
    };
  }
}
