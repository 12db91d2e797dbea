/**
 * A WebSocket for crowds: a real connection whose messages are found by their headers, and copied
 * nowhere. A thousand of `ws` in one process take longer over a tick than the server does.
 * https://www.rfc-editor.org/rfc/rfc6455
 */
import { connect, type Socket } from 'node:net';

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
/** All that a server may send here: whole messages, without extensions. */
const WHOLE: ReadonlySet<number> = new Set(
  [TEXT, BINARY, CLOSE, PING, PONG].map((op) => 0x80 | op),
);
/** Closing codes: the peer breaks the protocol; none came; no Close came. */
const PROTOCOL_ERROR = 1002;
const NO_CODE = 1005;
const NO_CLOSE = 1006;
const END_OF_HEAD = '\r\n\r\n';
/** Of any 16 bytes: only proxies look at it, and there is none. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
/** Read into by all connections, as each reads it to the end at once. */
const shared = Buffer.allocUnsafeSlow(256 * 1024);

/** Not 0, under which servers have nothing to do; the same for all, as nobody is to be kept out. */
const MASK = [0x37, 0xfa, 0x21, 0x3d] as const;

/**
 * A message as a client's frame, which can be sent over any connection.
 *
 * @param opcode default: text for a string, else binary
 */
export function frameOf(message: Uint8Array | string, opcode?: number): Uint8Array {
  const bytes = typeof message === 'string' ? Buffer.from(message) : message;
  const { length } = bytes;
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.alloc(head + 4 + length);
  frame[0] = 0x80 | (opcode ?? (typeof message === 'string' ? TEXT : BINARY));
  frame[1] = 0x80 | (head === 2 ? length : head === 4 ? 126 : 127);
  if (head === 4) frame.writeUInt16BE(length, 2);
  else if (head === 10) frame.writeBigUInt64BE(BigInt(length), 2);
  frame.set(MASK, head);
  for (let i = 0; i < length; i++) frame[head + 4 + i] = bytes[i] ^ MASK[i & 3];
  return frame;
}

/**
 * How a connection has ended: 'refused' if it never opened, else the code of the server's Close;
 * 1002: the server broke the protocol; 1005: its Close had no code; 1006: no Close came.
 */
export type SocketEnd = string;

export interface LightSocketOptions {
  /** http://host:port/path?query */
  readonly url: string;
  /**
   * @param message is read over after the call
   * @param length with its framing
   */
  readonly onMessage: (message: Buffer, isBinary: boolean, length: number) => void;
  /** Called once, also if it could not be opened. */
  readonly onClose: (how: SocketEnd) => void;
}

/** A connection of one client, which is opened at once. */
export class LightSocket {
  private readonly socket: Socket;
  private isOpen = false;
  /** See `SocketEnd`. */
  private code = NO_CLOSE;
  /** The beginning of a message whose end has not come. */
  private rest: Buffer | undefined;

  constructor(private readonly options: LightSocketOptions) {
    const { hostname, port, host, pathname, search } = new URL(options.url);
    this.socket = connect({
      ...{ host: hostname, port: Number(port || 80), noDelay: true },
      onread: {
        buffer: shared,
        callback: (length) => {
          this.read(shared.subarray(0, length));
          return true;
        },
      },
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => options.onClose(this.isOpen ? `${this.code}` : 'refused'));
    this.socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}${END_OF_HEAD}`,
    );
  }

  /** Sends a message; once it has ended, nothing. */
  send(message: Uint8Array | string): void {
    this.sendFrame(frameOf(message));
  }

  /** @param frame of `frameOf` */
  sendFrame(frame: Uint8Array): void {
    if (this.socket.writable) this.socket.write(frame);
  }

  close(): void {
    this.end('');
  }

  /** @param reason of a Close: its code and words, or nothing */
  private end(reason: Uint8Array | string): void {
    this.sendFrame(frameOf(reason, CLOSE));
    this.socket.end();
  }

  private read(chunk: Buffer): void {
    const data = this.rest ? Buffer.concat([this.rest, chunk]) : chunk;
    const done = this.isOpen ? this.readFrames(data, 0) : this.readHead(data);
    this.rest = done < data.length ? Buffer.from(data.subarray(done)) : undefined;
  }

  /** @returns bytes that are done with */
  private readHead(data: Buffer): number {
    const end = data.indexOf(END_OF_HEAD);
    if (end < 0) return 0;
    if (!data.toString('latin1', 0, end).startsWith('HTTP/1.1 101 ')) {
      this.socket.destroy();
      return data.length;
    }
    this.isOpen = true;
    return this.readFrames(data, end + END_OF_HEAD.length);
  }

  /** @returns bytes that are done with */
  private readFrames(data: Buffer, from: number): number {
    let at = from;
    while (data.length - at >= 2) {
      const short = data[at + 1];
      // The bit that is left over is that of a mask, which servers do not use.
      if (!WHOLE.has(data[at]) || short > 127) {
        this.breakOff();
        return data.length;
      }
      const head = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (data.length - at < head) break;
      const length =
        head === 2
          ? short
          : head === 4
            ? data.readUInt16BE(at + 2)
            : Number(data.readBigUInt64BE(at + 2));
      const end = at + head + length;
      if (data.length < end) break;
      this.take(data[at] & 0x0f, data.subarray(at + head, end), head + length);
      at = end;
    }
    return at;
  }

  private take(opcode: number, message: Buffer, length: number): void {
    if (opcode === BINARY || opcode === TEXT) {
      this.options.onMessage(message, opcode === BINARY, length);
    } else if (opcode === PING) this.sendFrame(frameOf(message, PONG));
    else if (opcode === CLOSE) {
      this.code = message.length < 2 ? NO_CODE : message.readUInt16BE();
      this.end(message);
    }
  }

  /** Nothing that comes after a broken frame can be understood. */
  private breakOff(): void {
    this.code = PROTOCOL_ERROR;
    const reason = Buffer.alloc(2);
    reason.writeUInt16BE(PROTOCOL_ERROR);
    this.end(reason);
    this.socket.destroySoon();
  }
}
