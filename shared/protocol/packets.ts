/**
 * A Socket.IO parser that sends every packet as one binary MessagePack message.
 * Interface: https://socket.io/docs/v4/custom-parser/
 */
import { Emitter } from '@socket.io/component-emitter';

/**
 * Packet types of socket.io-protocol 5, except the types for binary data, which this parser does
 * not need.
 */
const PacketType = { CONNECT: 0, DISCONNECT: 1, EVENT: 2, ACK: 3, CONNECT_ERROR: 4 } as const;

interface Packet {
  type: number;
  nsp: string;
  data?: unknown;
  id?: number | undefined;
}

/**
 * Names of Socket.IO's own events. Packets with these names are rejected, because they would
 * trigger the receiver's internal handlers.
 */
const RESERVED = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'error',
  'newListener',
  'removeListener',
]);

/**
 * Options for msgpackr. They turn off msgpackr's extensions of MessagePack, because packets come
 * from untrusted clients.
 */
export const OPTIONS = {
  useRecords: false,
  moreTypes: false,
  structuredClone: false,
  variableMapSize: true,
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * For each packet type, a function that checks a packet's data. ACK packets are always invalid,
 * because acknowledgements are not used.
 */
const IS_VALID: Readonly<Record<number, (data: unknown) => boolean>> = {
  [PacketType.CONNECT]: (data) => (data ?? undefined) === undefined || isRecord(data),
  [PacketType.DISCONNECT]: (data) => (data ?? undefined) === undefined,
  [PacketType.CONNECT_ERROR]: (data) => typeof data === 'string' || isRecord(data),
  [PacketType.EVENT]: (data) =>
    Array.isArray(data) && typeof data[0] === 'string' && !RESERVED.has(data[0]),
};

interface Codec {
  /** Writes one value as MessagePack. */
  pack(value: unknown): Uint8Array;
  /** Reads the only value of a message. @throws Error if the message is malformed */
  unpack(bytes: Uint8Array): unknown;
}

/** Creates a Socket.IO parser. */
export function createParser(codec: Codec) {
  interface DecoderEvents {
    decoded: (packet: Packet) => void;
  }

  return {
    protocol: 5,
    PacketType,
    Encoder: class {
      encode({ type, nsp, data, id }: Packet): Uint8Array[] {
        return [codec.pack({ type, nsp, data, id })];
      }
    },
    Decoder: class extends Emitter<DecoderEvents, DecoderEvents> {
      /**
       * Decodes one message and emits its packet. After an error, Socket.IO closes the connection.
       *
       * @throws Error if the packet is invalid
       */
      add(message: unknown): void {
        if (typeof message === 'string') throw new Error('bad packet');
        const bytes = message instanceof ArrayBuffer ? new Uint8Array(message) : message;
        const packet = codec.unpack(bytes as Uint8Array);
        const { type, nsp, data, id } = isRecord(packet) ? packet : {};
        // Reject all namespaces except '/', because Socket.IO would answer each packet of another
        // namespace.
        const isValid =
          typeof type === 'number' &&
          nsp === '/' &&
          ((id ?? undefined) === undefined || Number.isSafeInteger(id)) &&
          IS_VALID[type]?.(data);
        if (!isValid) throw new Error('bad packet');
        this.emit('decoded', {
          ...{ type, nsp, data: data ?? undefined },
          id: (id ?? undefined) as number | undefined,
        });
      }

      destroy(): void {
        this.off();
      }
    },
  };
}

/**
 * Encodes a value as MessagePack.
 *
 * @param value null, booleans, numbers, strings, bytes, and arrays and plain records of these;
 *   undefined fields are omitted
 * @throws TypeError for any other value
 */
export function pack(value: unknown): Uint8Array {
  const bytes: number[] = [];
  write(value, bytes);
  return Uint8Array.from(bytes);
}

function write(value: unknown, out: number[]): void {
  if (value === null || value === undefined) out.push(0xc0);
  else if (typeof value === 'boolean') out.push(value ? 0xc3 : 0xc2);
  else if (typeof value === 'number') writeNumber(value, out);
  else if (typeof value === 'string') {
    const text = new TextEncoder().encode(value);
    writeSize(text.length, out, [0xa0, 32], [0xd9, 0xda, 0xdb]);
    append(text, out);
  } else if (value instanceof Uint8Array) {
    writeSize(value.length, out, [0, 0], [0xc4, 0xc5, 0xc6]);
    append(value, out);
  } else if (Array.isArray(value)) {
    writeSize(value.length, out, [0x90, 16], [0, 0xdc, 0xdd]);
    for (const item of value) write(item, out);
  } else if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    writeSize(entries.length, out, [0x80, 16], [0, 0xde, 0xdf]);
    for (const [key, item] of entries) {
      write(key, out);
      write(item, out);
    }
  } else throw new TypeError('bad packet');
}

/**
 * Writes a number: one byte for integers from −32 to 127, five bytes for larger integers below 2³²,
 * a double for all other numbers.
 */
function writeNumber(value: number, out: number[]): void {
  const whole = Number.isInteger(value) && !Object.is(value, -0);
  if (whole && value >= -32 && value < 128) out.push(value & 0xff);
  else if (whole && value >= 0 && value < 2 ** 32) out.push(0xce, ...bigEndian(value, 4));
  else {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    out.push(0xcb);
    append(new Uint8Array(view.buffer), out);
  }
}

/**
 * Writes the type and size of a text, byte array, list or record. A size below `limit` is written
 * in the same byte as the type: `fix | size`.
 *
 * @param codes the type's codes for larger sizes: before a size of one byte (0 if the type has no
 *   such code), of two bytes, and of four bytes
 */
function writeSize(
  size: number,
  out: number[],
  [fix, limit]: readonly [number, number],
  codes: readonly [number, number, number],
): void {
  if (size < limit) out.push(fix | size);
  else if (size < 2 ** 8 && codes[0]) out.push(codes[0], size);
  else if (size < 2 ** 16) out.push(codes[1], ...bigEndian(size, 2));
  else out.push(codes[2], ...bigEndian(size, 4));
}

function bigEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => (value / 2 ** (8 * (bytes - 1 - i))) & 0xff);
}

function append(bytes: Uint8Array, out: number[]): void {
  for (const byte of bytes) out.push(byte);
}

/**
 * Decodes a value that msgpackr's `Packr` has encoded with `OPTIONS`.
 *
 * @returns the value; byte arrays in it are views of `bytes`
 * @throws RangeError, TypeError if the message is malformed, nested too deeply, or contains an
 *   unknown type
 */
export function unpack(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = reader.value();
  reader.end();
  return value;
}

class Reader {
  private at = 0;
  private readonly view: DataView;
  private readonly texts = new TextDecoder();

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  end(): void {
    if (this.at < this.bytes.length) throw new RangeError('bad packet');
  }

  value(): unknown {
    const code = this.unsigned(0);
    if (code < 0x80) return code;
    if (code < 0x90) return this.record(code & 15);
    if (code < 0xa0) return this.list(code & 15);
    if (code < 0xc0) return this.text(code & 31);
    if (code >= 0xe0) return code - 256;
    if (code === 0xc0) return null;
    if (code === 0xc2 || code === 0xc3) return code === 0xc3;
    // A type has one code for each possible width of its size or number: 1, 2 or 4 bytes, or only 2
    // or 4 bytes. The codes are consecutive, so a subtraction gives log₂ of the width in bytes.
    if (code >= 0xc4 && code <= 0xc6) return this.take(this.unsigned(code - 0xc4));
    if (code === 0xcb) return this.view.getFloat64(this.skip(8));
    if (code >= 0xcc && code <= 0xce) return this.unsigned(code - 0xcc);
    if (code === 0xd0) return this.view.getInt8(this.skip(1));
    if (code === 0xd1) return this.view.getInt16(this.skip(2));
    if (code === 0xd2) return this.view.getInt32(this.skip(4));
    // msgpackr encodes undefined as an extension: this code, followed by two zero bytes.
    if (code === 0xd4 && this.unsigned(1) === 0) return undefined;
    if (code >= 0xd9 && code <= 0xdb) return this.text(this.unsigned(code - 0xd9));
    if (code === 0xdc || code === 0xdd) return this.list(this.unsigned(code - 0xdb));
    if (code === 0xde || code === 0xdf) return this.record(this.unsigned(code - 0xdd));
    throw new TypeError('bad packet');
  }

  /**
   * Skips bytes. Does not check whether the message contains that many bytes, because reading bytes
   * beyond its end throws a RangeError.
   *
   * @returns the offset of the first skipped byte
   */
  private skip(size: number): number {
    this.at += size;
    return this.at - size;
  }

  /** Reads an unsigned integer. @param power log₂ of the number of bytes, 0…2 */
  private unsigned(power: number): number {
    const at = this.skip(1 << power);
    if (power === 0) return this.view.getUint8(at);
    return power === 1 ? this.view.getUint16(at) : this.view.getUint32(at);
  }

  private take(size: number): Uint8Array {
    const at = this.skip(size);
    if (this.at > this.bytes.length) throw new RangeError('truncated');
    return this.bytes.subarray(at, this.at);
  }

  private text(size: number): string {
    return this.texts.decode(this.take(size));
  }

  private list(length: number): unknown[] {
    const items: unknown[] = [];
    while (items.length < length) items.push(this.value());
    return items;
  }

  private record(length: number): Record<string, unknown> {
    const fields: [string, unknown][] = [];
    while (fields.length < length) fields.push([String(this.value()), this.value()]);
    // Use `fromEntries`, because assigning a field named `__proto__` would set the prototype.
    return Object.fromEntries(fields);
  }
}
