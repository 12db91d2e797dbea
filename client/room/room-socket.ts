/**
 * A page's socket to the server. It speaks the protocol of Socket.IO 5 over Engine.IO 4, of which
 * pages need only a WebSocket, one namespace, and packets in MessagePack. Socket.IO's own client
 * would be six times as large. Protocols: https://socket.io/docs/v4/socket-io-protocol/
 */
import { PacketType, pack, unpack } from '../../shared/protocol/packets.ts';

/** Delays before reconnecting: first and longest; and timeout of an attempt; in ms. */
const REDIAL = { first: 300, longest: 1_000, attempt: 3_000 };

/** First characters of Engine.IO's text messages. */
const [OPEN, PING, PONG] = ['0', '2', '3'];

/** A packet from the server. Only events have these data. */
interface Packet {
  readonly type: number;
  readonly data: [name: string, message: unknown];
}

export interface RoomSocketOptions {
  /** Returns the message that is sent with the handshake. */
  readonly greet: () => unknown;
  readonly onEvent: (name: string, message: unknown) => void;
  /** Called when an attempt to connect has failed. The socket tries again by itself. */
  readonly onFailure: () => void;
  /**
   * Called when an established connection has ended.
   *
   * @param isByServer whether the server has ended it. Only then does the socket not reconnect
   */
  readonly onDisconnect: (isByServer: boolean) => void;
}

export class RoomSocket {
  /** Whether the server has accepted the handshake, and the connection has not ended since. */
  connected = false;
  private line: WebSocket | undefined;
  /** Whether the server has answered on `line`. */
  private isOpen = false;
  /** Time without a ping after which the connection counts as lost, in ms. */
  private patience = REDIAL.attempt;
  /** When the connection counts as lost unless the server says something, in ms since 1970. */
  private deadline = 0;
  private attempts = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly options: RoomSocketOptions,
    private readonly address = `${location.origin.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`,
  ) {
    // Browsers would notice the loss of the network only when the next ping is missing.
    addEventListener('offline', () => this.line && this.lose());
  }

  /** Connects, unless the socket is connected or connecting. */
  connect(): void {
    if (this.line) return;
    const line = new WebSocket(this.address);
    line.binaryType = 'arraybuffer';
    line.onmessage = ({ data }) => this.line === line && this.receive(data);
    line.onclose = () => this.line === line && this.lose();
    this.line = line;
    this.patience = REDIAL.attempt;
    this.expectMore();
  }

  /** Sends a message. Call it only while connected. */
  emit(name: string, message: unknown): void {
    // After the device has slept, the timer may not have noticed yet that the connection is lost.
    if (Date.now() > this.deadline) this.lose();
    else this.send(PacketType.EVENT, [name, message]);
  }

  /** Ends the connection for good, without calling `onDisconnect`. */
  disconnect(): void {
    if (this.connected) this.send(PacketType.DISCONNECT);
    this.hangUp();
  }

  private send(type: number, data?: unknown): void {
    this.line?.send(pack({ type, nsp: '/', data }) as Uint8Array<ArrayBuffer>);
  }

  private receive(data: string | ArrayBuffer): void {
    if (typeof data !== 'string') {
      this.take(unpack(new Uint8Array(data)) as Packet);
      return;
    }
    if (data[0] === OPEN) {
      const { pingInterval, pingTimeout } = JSON.parse(data.slice(1));
      this.patience = pingInterval + pingTimeout;
      this.isOpen = true;
      this.attempts = 0;
      this.send(PacketType.CONNECT, this.options.greet());
    } else if (data[0] === PING) this.line?.send(PONG);
    this.expectMore();
  }

  private take({ type, data }: Packet): void {
    if (type === PacketType.CONNECT) this.connected = true;
    else if (type === PacketType.EVENT) this.options.onEvent(...data);
    else {
      this.hangUp();
      this.options.onDisconnect(true);
    }
  }

  /** Waits for the server's next ping. */
  private expectMore(): void {
    clearTimeout(this.timer);
    this.deadline = Date.now() + this.patience;
    this.timer = setTimeout(() => this.lose(), this.patience);
  }

  /** Gives the connection up, and connects again later. */
  private lose(): void {
    const { isOpen, options } = this;
    this.hangUp();
    // Vary the delay, so that a thousand pages do not reconnect at the same moment.
    const delay = REDIAL.first * 2 ** this.attempts++ * (0.5 + Math.random());
    this.timer = setTimeout(() => this.connect(), Math.min(REDIAL.longest, delay));
    if (isOpen) options.onDisconnect(false);
    else options.onFailure();
  }

  private hangUp(): void {
    clearTimeout(this.timer);
    this.line?.close();
    this.line = undefined;
    this.connected = this.isOpen = false;
  }
}
