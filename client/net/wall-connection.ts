/**
 * A wall's connection. It reconnects forever and silently, and reloads when the server has a newer
 * page.
 */
import { io, type Socket } from 'socket.io-client';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Command } from '../../shared/protocol/commands.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { parser } from './parser.ts';
import { RoomModel, type Send } from './room-model.ts';

const REDIAL = DEFAULTS.net.redial;
/** Delay before a refused wall asks again, ms. */
const REFUSED = 3_000;

export interface WallConnectionOptions {
  readonly room: string;
  readonly as: 'wall' | 'view';
  /** From the wall's address, if it has a place of its own; else ''. */
  readonly pass: string;
  /** The build of this page, see `buildOf`. */
  readonly build: string;
  /** Called when the server has another build of the page. */
  readonly renew: () => void;
}

/** A wall's connection to a room; it always reconnects and sends no commands. */
export class WallConnection {
  readonly model: RoomModel;
  private readonly socket: Socket;
  private again: ReturnType<typeof setTimeout> | undefined;
  /** Whether the last join was refused. */
  private refused = false;

  constructor(private readonly options: WallConnectionOptions) {
    this.model = new RoomModel((event, payload) => this.send(event, payload));
    this.socket = io({
      transports: ['websocket'],
      parser,
      reconnectionDelay: REDIAL.first,
      reconnectionDelayMax: REDIAL.longest,
      timeout: REDIAL.attempt,
      // Sent with the handshake, which saves a round trip.
      auth: (greet) => greet({ join: this.wish() }),
    });
    this.socket.on('disconnect', (reason) => {
      this.model.setConnection('reconnecting');
      // Socket.IO does not reconnect by itself after the server closed the connection.
      const wait = this.refused ? REFUSED : REDIAL.first;
      if (reason === 'io server disconnect') this.later(() => this.socket.connect(), wait);
    });
    this.socket.onAny((event: string, payload: unknown) => this.model.receive(event, payload));
    this.model.on('wall', ({ build }) => {
      this.refused = false;
      if (build !== '' && build !== this.options.build) this.options.renew();
    });
    this.model.on('rejected', ({ reason }) => {
      if (reason === 'protocol-version') this.options.renew();
      // Ask again: the room may open, or another wall may leave.
      if (this.model.connection === 'live') return;
      this.refused = true;
      this.later(() => this.send('join', this.wish()), REFUSED);
    });
  }

  /** Sends a command. Without a connection it is dropped. */
  readonly send: Send = (event, payload) => {
    if (this.socket.connected) this.socket.emit(event, payload);
  };

  close(): void {
    clearTimeout(this.again);
    this.socket.disconnect();
    this.model.setConnection('closed');
  }

  private wish(): Command<'join'> {
    const holds = this.model.holds();
    const { room, as, pass } = this.options;
    return {
      ...{ protocol: PROTOCOL_VERSION, room, as },
      ...(pass !== '' && { pass }),
      ...(holds && { holds }),
    };
  }

  private later(what: () => void, delay: number): void {
    clearTimeout(this.again);
    this.again = setTimeout(what, delay);
  }
}
