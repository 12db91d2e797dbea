/** A wall's connection: it never gives up, says nothing of it, and takes a newer page when the server has one. */
import { io, type Socket } from 'socket.io-client';
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Command } from '../../shared/protocol/commands.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { parser } from './parser.ts';
import { RoomModel, type Send } from './room-model.ts';

const REDIAL = DEFAULTS.net.redial;
/** How long a refused wall waits before it asks again, ms. */
const REFUSED = 3_000;

export interface WallConnectionOptions {
  readonly room: string;
  /** Which build this page is, see `buildOf`. */
  readonly build: string;
  /** The server has another page than this one. */
  readonly renew: () => void;
}

export class WallConnection {
  readonly model: RoomModel;
  private readonly socket: Socket;
  private again: ReturnType<typeof setTimeout> | undefined;
  /** Whether it was not let in last time. */
  private refused = false;

  constructor(private readonly options: WallConnectionOptions) {
    this.model = new RoomModel((event, payload) => this.send(event, payload));
    this.socket = io({
      transports: ['websocket'],
      parser,
      reconnectionDelay: REDIAL.first,
      reconnectionDelayMax: REDIAL.longest,
      timeout: REDIAL.attempt,
      // With the greeting, which spares a way there and back.
      auth: (greet) => greet({ join: this.wish() }),
    });
    this.socket.on('disconnect', (reason) => {
      this.model.setConnection('reconnecting');
      // A server that closed the connection itself is not dialled again by Socket.IO.
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
      // A room may open later, a place on the list of walls come free.
      if (this.model.connection === 'live') return;
      this.refused = true;
      this.later(() => this.send('join', this.wish()), REFUSED);
    });
  }

  /** What is sent while there is no connection is dropped. */
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
    return {
      protocol: PROTOCOL_VERSION,
      room: this.options.room,
      as: 'wall',
      ...(holds && { holds }),
    };
  }

  private later(what: () => void, delay: number): void {
    clearTimeout(this.again);
    this.again = setTimeout(what, delay);
  }
}
