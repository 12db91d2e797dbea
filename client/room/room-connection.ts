/** What the connections of all pages do alike. */
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import type { LanguageCode } from '../../shared/languages.ts';
import { PAGE_DEFAULTS } from '../../shared/page-defaults.ts';
import type { Command } from '../../shared/protocol/commands.ts';
import { createParser, pack, unpack } from '../../shared/protocol/packets.ts';
import { PROTOCOL_VERSION, type Reason } from '../../shared/protocol/reasons.ts';
import { RoomModel, type Send } from './room-model.ts';

const REDIAL = PAGE_DEFAULTS.net.redial;

/** Dependencies of a connection. */
export interface Means {
  readonly dial: (options: Partial<ManagerOptions & SocketOptions>) => Socket;
  /** 0…1 */
  readonly random: () => number;
  /**
   * Calls back after a delay, ms.
   *
   * @returns a function that cancels it
   */
  readonly after: (ms: number, call: () => void) => () => void;
}

const BROWSER: Means = {
  dial: io,
  random: Math.random,
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * A Socket.IO connection to one room. It joins with the handshake, reconnects after each
 * disconnection, and passes messages to the model.
 */
export abstract class RoomConnection {
  readonly model: RoomModel;
  protected readonly socket: Socket;
  /** Cancels the pending retry. */
  protected cancel = (): void => {};
  /** The server ends, but another one may have the room. */
  private moves = false;

  constructor(
    private readonly room: string,
    protected readonly means = BROWSER,
  ) {
    this.model = new RoomModel(this.send);
    this.socket = means.dial({
      transports: ['websocket'],
      parser: createParser(pack, unpack),
      autoConnect: false,
      // Pages must be back within five seconds after the server is.
      reconnectionDelay: REDIAL.first,
      reconnectionDelayMax: REDIAL.longest,
      timeout: REDIAL.attempt,
      // Sent with the handshake, which saves a round trip.
      auth: (greet) => greet({ join: this.wish() }),
    });
    this.socket.on('disconnect', (reason) => {
      this.cancel();
      this.model.setConnection('reconnecting');
      // Socket.IO does not reconnect by itself after the server closed the connection.
      if (reason !== 'io server disconnect') return;
      this.later(() => this.socket.connect(), this.moves ? 0 : this.retryDelay);
      this.moves = false;
    });
    this.model.on('rejected', ({ reason, id }) => {
      this.moves = reason === 'shutting-down' && id === undefined;
    });
    this.socket.onAny((event: string, payload: unknown) => this.model.receive(event, payload));
  }

  /** Connects. Until then nothing is sent: a page may find that it cannot draw the room. */
  open(): void {
    this.socket.connect();
  }

  /** Sends a command. Without a connection it is dropped: it would be out of date later. */
  readonly send: Send = (event, payload) => {
    if (this.socket.connected) this.socket.emit(event, payload);
  };

  close(): void {
    this.cancel();
    this.socket.disconnect();
    this.model.setConnection('closed');
  }

  /** The join command. */
  protected wish(): Command<'join'> {
    const holds = this.model.holds();
    return { protocol: PROTOCOL_VERSION, room: this.room, ...(holds && { holds }) };
  }

  /** Delay before the next retry, ms. */
  protected abstract get retryDelay(): number;

  /** Joins again over the same connection, after the delay. */
  protected joinLater(): void {
    this.later(() => this.send('join', this.wish()), this.retryDelay);
  }

  private later(what: () => void, delay: number): void {
    this.cancel();
    this.cancel = this.means.after(delay, what);
  }
}

/** Delay before a refused wall asks again, ms. */
const REFUSED = 3_000;

export interface WallConnectionOptions {
  readonly room: string;
  /** A `view` is the picture on the host's page. */
  readonly as: 'wall' | 'view';
  /** From the wall's address, if it has a place of its own; else ''. */
  readonly pass: string;
  /** Languages that this screen has no letters for. */
  readonly unwritable?: readonly LanguageCode[];
  /** The build of this page, see `buildOf`. */
  readonly build: string;
  /** Called when the server has another build of the page. */
  readonly renew: () => void;
}

/** A wall's connection to a room; it always reconnects and sends no commands. */
export class WallConnection extends RoomConnection {
  /** Why the last join was refused; undefined: it was not. */
  refusal: Reason | undefined;

  constructor(
    private readonly options: WallConnectionOptions,
    means?: Means,
  ) {
    super(options.room, means);
    const { build: ownBuild, renew } = options;
    this.model.on('wall', ({ build }) => {
      this.refusal = undefined;
      if (build !== '' && build !== ownBuild) renew();
    });
    this.model.on('rejected', ({ reason }) => {
      if (reason === 'protocol-version') renew();
      // Ask again: the room may open, or another wall may leave.
      if (this.model.connection === 'live') return;
      // The server hangs up on a wall that it has refused for long: that says nothing new.
      if (reason !== 'join-timeout' || !this.refusal) this.refusal = reason;
      this.joinLater();
    });
  }

  protected override wish(): Command<'join'> {
    const { as, pass, unwritable = [] } = this.options;
    return { ...super.wish(), as, ...(pass !== '' && { pass }), unwritable: [...unwritable] };
  }

  protected get retryDelay(): number {
    return this.refusal ? REFUSED : PAGE_DEFAULTS.net.redial.first;
  }
}
