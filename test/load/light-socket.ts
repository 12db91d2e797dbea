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
const END_OF_HEAD = '\r\n\r\n';
/** Of any 16 bytes: only proxies look at it, and there is none. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
/** Read into by all connections, as each reads it to the end at once. */
const shared = Buffer.allocUnsafeSlow(256 * 1024);

/** A message as a client's frame, under the mask 0: it can be sent over any connection. */
export function frameOf(message: Uint8Array | string, opcode?: number): Uint8Array {
  const bytes = typeof message === 'string' ? Buffer.from(message) : message;
  const { length } = bytes;
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.alloc(head + 4 + length);
  frame[0] = 0x80 | (opcode ?? (typeof message === 'string' ? TEXT : BINARY));
  frame[1] = 0x80 | (head === 2 ? length : head === 4 ? 126 : 127);
  if (head === 4) frame.writeUInt16BE(length, 2);
  else if (head === 10) frame.writeBigUInt64BE(BigInt(length), 2);
  frame.set(bytes, head + 4);
  return frame;
}

export interface LightSocketOptions {
  /** http://host:port/path?query */
  readonly url: string;
  /** The address of this machine that it connects from. */
  readonly localAddress?: string | undefined;
  /**
   * @param message is read over after the call
   * @param length with its framing
   */
  readonly onMessage: (message: Buffer, isBinary: boolean, length: number) => void;
  /** It has ended, or could not be opened. Called once. */
  readonly onClose: () => void;
}

export class LightSocket {
  private readonly socket: Socket;
  private isOpen = false;
  /** The beginning of a message whose end has not come. */
  private rest: Buffer | undefined;

  constructor(private readonly options: LightSocketOptions) {
    const { hostname, port, host, pathname, search } = new URL(options.url);
    this.socket = connect({
      ...{ host: hostname, port: Number(port || 80), noDelay: true },
      ...(options.localAddress && { localAddress: options.localAddress }),
      onread: {
        buffer: shared,
        callback: (length) => {
          this.read(shared.subarray(0, length));
          return true;
        },
      },
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => options.onClose());
    this.socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}${END_OF_HEAD}`,
    );
  }

  send(message: Uint8Array | string): void {
    this.sendFrame(frameOf(message));
  }

  /** @param frame of `frameOf` */
  sendFrame(frame: Uint8Array): void {
    if (this.socket.writable) this.socket.write(frame);
  }

  close(): void {
    this.sendFrame(frameOf('', CLOSE));
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
      const short = data[at + 1] & 0x7f;
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
    // The server sends no message in parts.
    else if (opcode !== PONG) this.socket.end();
  }
}
