/**
 * Open Sound Control 1.0 as bytes, by osc-min. Bundles are taken apart here: osc-min drops their broken elements without a word,
 * and follows nested ones until the stack is full (64 kB of them: 2,196 levels).
 */
import { fromBuffer, type OscArgOutputOrArray, toBuffer } from 'osc-min';

/** A value with its type, by osc-min's name: `integer`, `float`, `string`, `double`, `bigint`, `true` … */
export type OscArgument = OscArgOutputOrArray;

export interface OscMessage {
  /** Begins with a slash. */
  readonly address: string;
  readonly args: readonly OscArgument[];
}

/** @throws RangeError the value is not a whole number of 32 bits */
export function int(value: number): OscArgument {
  if ((value | 0) !== value) throw new RangeError(`${value} is not a whole number of 32 bits`);
  return { type: 'integer', value };
}
export const float = (value: number): OscArgument => ({ type: 'float', value });
export const text = (value: string): OscArgument => ({ type: 'string', value });

export type OscReason = 'malformed' | 'too-deep' | 'too-many';

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

/** Limits of what comes in: bundles in bundles, elements of all bundles together, values of a message. */
const MAX_DEPTH = 4;
const MAX_ELEMENTS = 256;
const MAX_ARGUMENTS = 256;

const BUNDLE = '#bundle\0';
const HEADER = BUNDLE.length + 8;
/** Time tag: to be acted upon at once. */
const IMMEDIATELY: [number, number] = [0, 1];

/** @throws Error the address or a text has a zero in it */
export function encodeMessage({ address, args }: OscMessage): Uint8Array {
  return bytesOf(toBuffer({ address, args: [...args] }));
}

/** A bundle to be acted upon at once. @throws Error as `encodeMessage` */
export function encodeBundle(messages: readonly OscMessage[]): Uint8Array {
  const elements = messages.map(({ address, args }) => ({ address, args: [...args] }));
  return bytesOf(toBuffer({ timetag: IMMEDIATELY, elements }));
}

/**
 * Reads a datagram, whoever sent it.
 *
 * @returns its messages in their order, however they are bundled
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
    if (depth === MAX_DEPTH) throw new OscError('too-deep', `over ${MAX_DEPTH} bundles`);
    if (packet.length < HEADER) throw new OscError('malformed', 'a bundle without time');
    const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
    for (let at = HEADER; at < packet.length; ) {
      if (++elements > MAX_ELEMENTS)
        throw new OscError('too-many', `over ${MAX_ELEMENTS} elements`);
      const size = at + 4 <= packet.length ? view.getUint32(at) : Number.POSITIVE_INFINITY;
      at += 4 + size;
      if (at > packet.length) throw new OscError('malformed', 'an element beyond the end');
      read(packet.subarray(at - size, at), depth + 1);
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
    // Among what it throws are errors of DataView.
    throw new OscError('malformed', (error as Error).message);
  }
  if (packet.oscType !== 'message') throw new OscError('malformed', 'a bundle in disguise');
  const { address, args } = packet;
  if (args.length > MAX_ARGUMENTS) throw new OscError('too-many', `over ${MAX_ARGUMENTS} values`);
  return { address, args };
}

const bytesOf = (view: DataView): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
