/**
 * Encodes and decodes Open Sound Control 1.0 with the library osc-min. Bundles are decoded without
 * osc-min, because it drops malformed elements silently, and nested bundles can overflow its stack.
 */
import { fromBuffer, type OscArgOutputOrArray, toBuffer } from 'osc-min';
import { ReasonError } from '../platform/log.ts';

/** An argument of a message: a value, and the name of its type in osc-min, such as `integer`. */
export type OscArgument = OscArgOutputOrArray;

export interface OscMessage {
  /** The OSC address, which begins with a slash. */
  readonly address: string;
  readonly args: readonly OscArgument[];
}

/** Creates a 32-bit integer argument (OSC type `i`). @throws RangeError */
export function int(value: number): OscArgument {
  if ((value | 0) !== value) throw new RangeError(`${value} is not a 32-bit integer`);
  return { type: 'integer', value };
}

/** Creates a floating-point argument (OSC type `f`). */
export const float = (value: number): OscArgument => ({ type: 'float', value });

/** Creates a string argument (OSC type `s`). */
export const text = (value: string): OscArgument => ({ type: 'string', value });

export type OscReason = 'malformed' | 'too-deep' | 'too-many';

/** Thrown if a packet cannot be decoded. */
export class OscError extends ReasonError<OscReason> {
  override readonly name = 'OscError';
}

const MAX_DEPTH = 4;
/** Maximum number of elements in all bundles of a packet together. */
const MAX_ELEMENTS = 256;
const MAX_ARGUMENTS = 256;

const BUNDLE = '#bundle\0';
const HEADER = BUNDLE.length + 8;
/** The OSC time tag that means immediate execution. */
const IMMEDIATELY: [number, number] = [0, 1];

/** Encodes a message. @throws Error if the address or a string contains a NUL character */
export function encodeMessage({ address, args }: OscMessage): Uint8Array {
  return bytesOf(toBuffer({ address, args: [...args] }));
}

/** Encodes a bundle for immediate execution. @throws Error if a string contains a NUL character */
export function encodeBundle(messages: readonly OscMessage[]): Uint8Array {
  const elements = messages.map(({ address, args }) => ({ address, args: [...args] }));
  return bytesOf(toBuffer({ timetag: IMMEDIATELY, elements }));
}

/**
 * Decodes an untrusted datagram.
 *
 * @returns the datagram's messages in order, including messages in nested bundles
 * @throws OscError
 */
export function decodeOsc(bytes: Uint8Array): OscMessage[] {
  const messages: OscMessage[] = [];
  let elements = 0;
  const read = (packet: Uint8Array, depth: number): void => {
    if (Buffer.from(packet.subarray(0, BUNDLE.length)).toString('latin1') !== BUNDLE) {
      messages.push(decodeMessage(packet));
      return;
    }
    if (depth === MAX_DEPTH)
      throw new OscError('too-deep', `more than ${MAX_DEPTH} nested bundles`);
    if (packet.length < HEADER) throw new OscError('malformed', 'a bundle without a time tag');
    const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
    for (let offset = HEADER; offset < packet.length; ) {
      if (++elements > MAX_ELEMENTS)
        throw new OscError('too-many', `more than ${MAX_ELEMENTS} elements in a bundle`);
      const size = offset + 4 <= packet.length ? view.getUint32(offset) : Number.POSITIVE_INFINITY;
      offset += 4 + size;
      if (offset > packet.length)
        throw new OscError('malformed', 'an element extends past the end');
      read(packet.subarray(offset - size, offset), depth + 1);
    }
  };
  read(bytes, 0);
  return messages;
}

function decodeMessage(bytes: Uint8Array): OscMessage {
  let packet: ReturnType<typeof fromBuffer>;
  try {
    packet = fromBuffer(bytes);
  } catch (error) {
    // osc-min and `DataView` throw errors of several classes. Convert all of them.
    throw new OscError('malformed', (error as Error).message);
  }
  if (packet.oscType !== 'message') throw new OscError('malformed', 'not a message');
  const { address, args } = packet;
  if (args.length > MAX_ARGUMENTS)
    throw new OscError('too-many', `more than ${MAX_ARGUMENTS} arguments`);
  return { address, args };
}

const bytesOf = (view: DataView): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
