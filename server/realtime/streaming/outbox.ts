/**
 * What goes out in one turn of the loop, as after a tick: each message is written once for all whom it goes to, and each
 * connection is handed all of its own at once. A write of its own for each message of each connection would cost a busy
 * room more than everything else together.
 */

/** Engine.IO's connection, as far as it is needed here. */
export interface Connection {
  /** Takes bytes that are on the wire already as they are (`wsPreEncodedFrame`, as Socket.IO's own adapter hands them over). */
  write(data: Uint8Array, options: WriteOptions): unknown;
}

interface WriteOptions {
  readonly wsPreEncodedFrame: readonly [Uint8Array];
}

/** A message as it goes down the wire. */
interface Written {
  readonly name: string;
  readonly frame: Uint8Array;
}

/** Writes an event as one message. */
export type Write = (name: string, message: unknown) => Uint8Array;

export class Outbox {
  /** By what they say, which nobody changes once it is sent. */
  private readonly written = new Map<unknown, Written>();
  private readonly waiting = new Map<Connection, Uint8Array[]>();
  /** What was last joined: neighbours mostly get the same. */
  private last: { readonly parts: readonly Uint8Array[]; readonly whole: Uint8Array } | undefined;

  /** @param defer has something done at the end of this turn */
  constructor(
    private readonly write: Write,
    private readonly defer: (run: () => void) => void = process.nextTick,
  ) {}

  /** Goes out at the end of this turn, after what was sent before. */
  send(connection: Connection, name: string, message: unknown): void {
    if (this.waiting.size === 0) this.defer(() => this.flush());
    const frame = this.frameOf(name, message);
    const parts = this.waiting.get(connection);
    if (parts) parts.push(frame);
    else this.waiting.set(connection, [frame]);
  }

  /** Now already, for one connection: before it is closed. */
  flushNow(connection: Connection): void {
    const parts = this.waiting.get(connection);
    if (!parts) return;
    this.waiting.set(connection, []);
    this.hand(connection, parts);
  }

  private flush(): void {
    for (const [connection, parts] of this.waiting) this.hand(connection, parts);
    this.waiting.clear();
    this.written.clear();
    this.last = undefined;
  }

  private hand(connection: Connection, parts: readonly Uint8Array[]): void {
    if (parts.length === 0) return;
    const whole = parts.length === 1 ? parts[0] : this.join(parts);
    connection.write(whole, { wsPreEncodedFrame: [whole] });
  }

  private join(parts: readonly Uint8Array[]): Uint8Array {
    const { last } = this;
    const same = last?.parts.length === parts.length && parts.every((p, i) => p === last.parts[i]);
    if (same) return last.whole;
    const whole = Buffer.concat(parts);
    this.last = { parts, whole };
    return whole;
  }

  private frameOf(name: string, message: unknown): Uint8Array {
    const known = this.written.get(message);
    if (known?.name === name) return known.frame;
    const frame = framed(this.write(name, message));
    this.written.set(message, { name, frame });
    return frame;
  }
}

/** A message as a binary WebSocket frame of a server: final, not masked (RFC 6455, 5.2). */
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
