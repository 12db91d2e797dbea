/**
 * Open Sound Control 1.0 (opensoundcontrol.stanford.edu/spec-1_0): messages and bundles as bytes. Written here: it
 * is small, and must take whatever strangers send.
 */

/** A value with its type tag. `h` (int64), `d` (double), `T`, `F`, `N` and `I` are understood and sent by many, if not in 1.0. */
export type OscArgument =
  | { readonly type: 'i' | 'f' | 'd'; readonly value: number }
  | { readonly type: 'h'; readonly value: bigint }
  | { readonly type: 's'; readonly value: string }
  | { readonly type: 'b'; readonly value: Uint8Array }
  | { readonly type: 'T' | 'F' | 'N' | 'I' };

export interface OscMessage {
  /** Begins with a slash. */
  readonly address: string;
  readonly args: readonly OscArgument[];
}

export interface OscBundle {
  /** NTP time, 32 bits of seconds since 1900 and 32 of a second; 1: at once. */
  readonly time: bigint;
  readonly elements: readonly OscPacket[];
}

export type OscPacket = OscMessage | OscBundle;

export const AT_ONCE = 1n;

export const int = (value: number): OscArgument => ({ type: 'i', value });
export const float = (value: number): OscArgument => ({ type: 'f', value });
export const text = (value: string): OscArgument => ({ type: 's', value });

export type OscReason =
  /** It ends in the middle of something, or goes on after its end. */
  | 'bad-length'
  /** What is no address, no bundle, or no text. */
  | 'bad-text'
  | 'no-types'
  | 'unknown-type'
  /** Bundles in bundles in bundles, or too many in one. */
  | 'too-deep'
  | 'too-many';

/** A packet that cannot be read. */
export class OscError extends Error {
  override readonly name = 'OscError';

  constructor(
    readonly reason: OscReason,
    detail: string,
  ) {
    super(`${reason}: ${detail}`);
  }
}

/** A bundle may hold bundles, so deep; and so many messages in all. */
const MAX_DEPTH = 4;
const MAX_MESSAGES = 256;
const MAX_ARGUMENTS = 256;

const BUNDLE = '#bundle';
const HEADER = 16;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const padded = (length: number): number => (length + 3) & ~3;
/** At least one zero ends a text. */
const spaceOf = (bytes: Uint8Array): number => padded(bytes.length + 1);

/** @throws RangeError for what OSC cannot say: a text with a zero in it, a whole number over 32 bits, an address without slash */
export function encodeOsc(packet: OscPacket): Uint8Array {
  return 'address' in packet ? encodeMessage(packet) : encodeBundle(packet);
}

function encodeBundle({ time, elements }: OscBundle): Uint8Array {
  const parts = elements.map(encodeOsc);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + 4 + part.length, HEADER));
  const view = new DataView(bytes.buffer);
  bytes.set(encoder.encode(BUNDLE));
  view.setBigUint64(8, time);
  let at = HEADER;
  for (const part of parts) {
    view.setUint32(at, part.length);
    bytes.set(part, at + 4);
    at += 4 + part.length;
  }
  return bytes;
}

function encodeMessage({ address, args }: OscMessage): Uint8Array {
  if (!address.startsWith('/')) throw new RangeError(`the address "${address}" has no slash`);
  const head = bytesOf(address);
  const types = bytesOf(`,${args.map(({ type }) => type).join('')}`);
  const values = args.map(encodeArgument);
  const length = values.reduce((sum, value) => sum + value.length, spaceOf(head) + spaceOf(types));
  const bytes = new Uint8Array(length);
  bytes.set(head);
  bytes.set(types, spaceOf(head));
  let at = spaceOf(head) + spaceOf(types);
  for (const value of values) {
    bytes.set(value, at);
    at += value.length;
  }
  return bytes;
}

function encodeArgument(argument: OscArgument): Uint8Array {
  switch (argument.type) {
    case 'i': {
      if ((argument.value | 0) !== argument.value) {
        throw new RangeError(`${argument.value} is no whole number of 32 bits`);
      }
      return number(4, (view) => view.setInt32(0, argument.value));
    }
    case 'f':
      return number(4, (view) => view.setFloat32(0, argument.value));
    case 'd':
      return number(8, (view) => view.setFloat64(0, argument.value));
    case 'h':
      return number(8, (view) => view.setBigInt64(0, argument.value));
    case 's': {
      const bytes = bytesOf(argument.value);
      const room = new Uint8Array(spaceOf(bytes));
      room.set(bytes);
      return room;
    }
    case 'b': {
      const room = number(4 + padded(argument.value.length), (view) =>
        view.setUint32(0, argument.value.length),
      );
      room.set(argument.value, 4);
      return room;
    }
    default:
      return new Uint8Array(0);
  }
}

function number(size: number, set: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size);
  set(new DataView(bytes.buffer));
  return bytes;
}

function bytesOf(value: string): Uint8Array {
  const bytes = encoder.encode(value);
  if (bytes.includes(0)) throw new RangeError('a text cannot hold a zero');
  return bytes;
}

/**
 * Reads what anybody may have sent.
 *
 * @throws OscError
 */
export function decodeOsc(bytes: Uint8Array): OscPacket {
  const budget = { messages: MAX_MESSAGES };
  return decode(bytes, 0, budget);
}

/** The messages of a packet, in their order, however they are bundled. */
export function messagesOf(packet: OscPacket): OscMessage[] {
  return 'address' in packet ? [packet] : packet.elements.flatMap(messagesOf);
}

function decode(bytes: Uint8Array, depth: number, budget: { messages: number }): OscPacket {
  const reader = new Reader(bytes);
  const head = reader.text();
  if (head === BUNDLE) {
    if (depth >= MAX_DEPTH) throw new OscError('too-deep', `over ${MAX_DEPTH} bundles`);
    const time = reader.view(8).getBigUint64(0);
    const elements: OscPacket[] = [];
    while (!reader.done) {
      const size = reader.view(4).getUint32(0);
      if (size % 4 !== 0) throw new OscError('bad-length', `an element of ${size} bytes`);
      // Bundles that hold nothing count as well.
      if (budget.messages-- === 0) throw new OscError('too-many', `over ${MAX_MESSAGES} elements`);
      elements.push(decode(reader.take(size), depth + 1, budget));
    }
    return { time, elements };
  }
  if (!head.startsWith('/')) throw new OscError('bad-text', 'no address');
  // Some old senders leave the types away where there are no values.
  const types = reader.done ? ',' : reader.text();
  if (!types.startsWith(',')) throw new OscError('no-types', head);
  if (types.length > MAX_ARGUMENTS) throw new OscError('too-many', `over ${MAX_ARGUMENTS} values`);
  const args = [...types.slice(1)].map((type) => decodeArgument(type, reader));
  if (!reader.done) throw new OscError('bad-length', 'more bytes than values');
  return { address: head, args };
}

function decodeArgument(type: string, reader: Reader): OscArgument {
  switch (type) {
    case 'i':
      return { type, value: reader.view(4).getInt32(0) };
    case 'f':
      return { type, value: reader.view(4).getFloat32(0) };
    case 'd':
      return { type, value: reader.view(8).getFloat64(0) };
    case 'h':
      return { type, value: reader.view(8).getBigInt64(0) };
    case 's':
      return { type, value: reader.text() };
    case 'b': {
      const size = reader.view(4).getUint32(0);
      const value = reader.take(size).slice();
      reader.take(padded(size) - size);
      return { type, value };
    }
    case 'T':
    case 'F':
    case 'N':
    case 'I':
      return { type };
    default:
      throw new OscError('unknown-type', type);
  }
}

class Reader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get done(): boolean {
    return this.at === this.bytes.length;
  }

  take(size: number): Uint8Array {
    if (size > this.bytes.length - this.at) throw new OscError('bad-length', 'it ends too soon');
    return this.bytes.subarray(this.at, (this.at += size));
  }

  view(size: number): DataView {
    const { buffer, byteOffset } = this.take(size);
    return new DataView(buffer, byteOffset, size);
  }

  text(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0) throw new OscError('bad-length', 'a text without end');
    const bytes = this.take(end - this.at);
    this.take(padded(bytes.length + 1) - bytes.length);
    try {
      return decoder.decode(bytes);
    } catch {
      throw new OscError('bad-text', 'not UTF-8');
    }
  }
}
