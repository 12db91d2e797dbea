/**
 * Collects the messages of one turn of the event loop. Each message is encoded once for all
 * recipients. All messages for a connection are sent in a single write, which is faster than
 * separate writes.
 */

import { parser } from '../../../shared/protocol/parser.ts';

/** The parts of an Engine.IO connection that this module uses. */
export interface Connection {
  /**
   * Sends data over the connection. If `wsPreEncodedFrame` contains an encoded WebSocket frame,
   * this frame is sent as it is.
   */
  write(data: Uint8Array, options: { readonly wsPreEncodedFrame: readonly [Uint8Array] }): unknown;
}

/** Sends messages at the end of the current turn of the event loop. */
export class Outbox {
  /**
   * Encoded messages, by message object. Callers must not modify a message object after sending it.
   */
  private readonly encoded = new Map<
    unknown,
    { readonly name: string; readonly frame: Uint8Array }
  >();
  private readonly waiting = new Map<Connection, Uint8Array[]>();
  /**
   * The latest joined messages, before (`parts`) and after (`bytes`) joining for a single write.
   * Cached, because the next connection usually gets the same messages.
   */
  private lastJoined:
    | { readonly parts: readonly Uint8Array[]; readonly bytes: Uint8Array }
    | undefined;

  private readonly encoder = new parser.Encoder();

  /** @param defer runs a function at the end of this turn of the event loop */
  constructor(private readonly defer: (run: () => void) => void = process.nextTick) {}

  /**
   * Queues a message to be sent at the end of this turn of the event loop. Messages to one
   * connection stay in order.
   */
  send(connection: Connection, name: string, message: unknown): void {
    if (this.waiting.size === 0) this.defer(() => this.flush());
    const frame = this.frameOf(name, message);
    const parts = this.waiting.get(connection);
    if (parts) parts.push(frame);
    else this.waiting.set(connection, [frame]);
  }

  /**
   * Sends the queued messages of a connection immediately. Call before the connection is closed.
   */
  flushNow(connection: Connection): void {
    const parts = this.waiting.get(connection);
    if (!parts) return;
    this.waiting.set(connection, []);
    this.write(connection, parts);
  }

  private flush(): void {
    for (const [connection, parts] of this.waiting) this.write(connection, parts);
    this.waiting.clear();
    this.encoded.clear();
    this.lastJoined = undefined;
  }

  private write(connection: Connection, parts: readonly Uint8Array[]): void {
    if (parts.length === 0) return;
    const bytes = parts.length === 1 ? parts[0] : this.join(parts);
    connection.write(bytes, { wsPreEncodedFrame: [bytes] });
  }

  private join(parts: readonly Uint8Array[]): Uint8Array {
    const { lastJoined: last } = this;
    const same = last?.parts.length === parts.length && parts.every((p, i) => p === last.parts[i]);
    if (same) return last.bytes;
    const bytes = Buffer.concat(parts);
    this.lastJoined = { parts, bytes };
    return bytes;
  }

  private frameOf(name: string, message: unknown): Uint8Array {
    const known = this.encoded.get(message);
    if (known?.name === name) return known.frame;
    const packet = { type: parser.PacketType.EVENT, nsp: '/', data: [name, message] };
    const frame = framed(this.encoder.encode(packet)[0]);
    this.encoded.set(message, { name, frame });
    return frame;
  }
}

/** Puts a message into a binary, final, unmasked WebSocket frame (RFC 6455, section 5.2). */
export function framed(message: Uint8Array): Uint8Array {
  const { length } = message;
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = 0x82;
  if (head === 2) frame[1] = length;
  else if (head === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.set(message, head);
  return frame;
}
