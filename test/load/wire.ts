/**
 * A visitor's connection, as light as it can be: Engine.IO 4 and Socket.IO 5 spoken on a WebSocket of its own. A thousand of
 * Socket.IO's own clients in one process take longer over a frame than the server does over the tick, and would measure themselves.
 * https://socket.io/docs/v4/engine-io-protocol/ https://socket.io/docs/v4/socket-io-protocol/
 */
import WebSocket from 'ws';
import type { Command, CommandName } from '../../shared/protocol/commands.ts';
import type { Event, EventName } from '../../shared/protocol/events.ts';
import type { Mail } from './mail.ts';

/** Engine.IO's text messages, by their first letter. */
const OPEN = 0x30;
const PING = 0x32;
const PONG = '3';

/** What WebSocket adds to a message of so many bytes. */
const framing = (bytes: number): number => (bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10);

export interface WireEvents {
  /** Events may be sent now. */
  connected(): void;
  event<N extends EventName>(name: N, message: Event<N>): void;
  /** The server, or the line, has ended it. */
  lost(): void;
}

export interface WireOptions {
  /** http://host:port */
  readonly url: string;
  /** Shared by all of a process. */
  readonly mail: Mail;
  /** ms after which a lost connection is dialled again; absent: never. */
  readonly redial?: number | undefined;
  readonly on: WireEvents;
}

export class Wire {
  /** That came down, framing of WebSocket included. */
  bytes = 0;
  private socket: WebSocket | undefined;
  private isConnected = false;
  private isOver = false;

  constructor(private readonly options: WireOptions) {
    this.dial();
  }

  send<N extends CommandName>(name: N, message: Command<N>): void {
    if (this.isConnected) this.socket!.send(this.options.mail.write(name, message));
  }

  close(): void {
    this.isOver = true;
    this.socket?.close();
  }

  private dial(): void {
    const { url, mail, redial, on } = this.options;
    const address = `${url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`;
    const socket = new WebSocket(address, { perMessageDeflate: false });
    this.socket = socket;
    socket.on('message', (data: Buffer, isBinary) => {
      this.bytes += data.length + framing(data.length);
      if (isBinary) this.receive(data);
      else if (data[0] === OPEN) socket.send(mail.greeting);
      else if (data[0] === PING) socket.send(PONG);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const wasConnected = this.isConnected;
      this.isConnected = false;
      if (this.isOver) return;
      if (wasConnected) on.lost();
      if (redial !== undefined) setTimeout(() => this.isOver || this.dial(), redial);
    });
  }

  private receive(message: Buffer): void {
    const { mail, on } = this.options;
    const packet = mail.read(message);
    if (packet.what === 'connected') {
      this.isConnected = true;
      on.connected();
    } else if (packet.what === 'event') on.event(packet.name as EventName, packet.message as never);
    else this.socket!.close();
  }
}
