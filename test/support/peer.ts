/**
 * A visitor's page without rendering: its room model on a real connection, which reconnects when it
 * breaks.
 */
import { io, type Socket } from 'socket.io-client';
import { RoomModel } from '../../client/room/room-model.ts';
import { parser } from '../../shared/protocol/parser.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/reasons.ts';

/** ms until a broken connection is dialled again: a page waits longer, but no test needs to. */
const REDIAL = 5;

export class Peer {
  readonly model: RoomModel;
  private readonly socket: Socket;
  private nextId = 1;

  /** @param port where the room's server listens, or a bad network before it */
  constructor(
    port: number,
    readonly room: string,
  ) {
    this.socket = io(`http://127.0.0.1:${port}`, {
      parser,
      transports: ['websocket'],
      forceNew: true,
      reconnectionDelay: REDIAL,
      reconnectionDelayMax: 4 * REDIAL,
    });
    this.model = new RoomModel((name, message) => this.say(name, message));
    let resume: string | undefined;
    this.model.on('welcome', (welcome) => {
      resume = welcome.resume;
    });
    this.socket.on('connect', () => {
      const holds = this.model.holds();
      const join = { protocol: PROTOCOL_VERSION, room };
      this.say('join', { ...join, ...(resume && { resume }), ...(holds && { holds }) });
    });
    this.socket.on('disconnect', (reason) => {
      this.model.setConnection('reconnecting');
      // Whom the server has closed is not dialled again by Socket.IO.
      if (reason === 'io server disconnect') setTimeout(() => this.socket.connect(), REDIAL);
    });
    this.socket.onAny((name: string, message: unknown) => this.model.receive(name, message));
  }

  /** Sends a command; nobody waits for the answer. */
  wish(name: 'plant' | 'damage' | 'cross', message: Record<string, unknown>): void {
    this.say(name, { id: this.nextId++, ...message });
  }

  say(name: string, message: unknown): void {
    if (this.socket.connected) this.socket.emit(name, message);
  }

  /** Goes away, as a page that is closed. */
  leave(): void {
    this.socket.disconnect();
  }

  /** Comes back; nothing happens when it has not gone. */
  comeBack(): void {
    this.socket.connect();
  }
}
