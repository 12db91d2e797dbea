/**
 * The Socket.IO parser of servers and programs. It uses msgpackr, which is faster than `pack` and
 * `unpack`, but too large for pages. Interface: https://socket.io/docs/v4/custom-parser/
 */
import { EventEmitter } from 'node:events';
import { Packr, Unpackr } from 'msgpackr';
import { PacketType } from './packets.ts';

interface Packet {
  type: number;
  nsp: string;
  data?: unknown;
  id?: number | undefined;
}

/** Socket.IO's own events. A client that sent one could trigger the server's handlers for it. */
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
 * Packets come from untrusted clients, so msgpackr's records, extensions and structured clones are
 * off.
 */
export const OPTIONS = {
  useRecords: false,
  moreTypes: false,
  structuredClone: false,
  variableMapSize: true,
};

const packr = new Packr(OPTIONS);
const unpackr = new Unpackr(OPTIONS);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Checks of a packet's data, by the packet's type. ACK is missing, because acknowledgements are not
 * used.
 */
const IS_VALID: Readonly<Record<number, (data: unknown) => boolean>> = {
  [PacketType.CONNECT]: (data) => (data ?? undefined) === undefined || isRecord(data),
  [PacketType.DISCONNECT]: (data) => (data ?? undefined) === undefined,
  [PacketType.CONNECT_ERROR]: (data) => typeof data === 'string' || isRecord(data),
  [PacketType.EVENT]: (data) =>
    Array.isArray(data) && typeof data[0] === 'string' && !RESERVED.has(data[0]),
};

class Encoder {
  encode({ type, nsp, data, id }: Packet): Uint8Array[] {
    return [packr.pack({ type, nsp, data, id })];
  }
}

class Decoder extends EventEmitter<{ decoded: [Packet] }> {
  /**
   * Decodes one message and emits its packet.
   *
   * @throws Error for an invalid packet; Socket.IO then closes the connection
   */
  add(message: unknown): void {
    if (typeof message === 'string') throw new Error('bad packet');
    const bytes = message instanceof ArrayBuffer ? new Uint8Array(message) : message;
    const packet: unknown = unpackr.unpack(bytes as Uint8Array);
    const { type, nsp, data, id } = isRecord(packet) ? packet : {};
    // Reject packets for other namespaces: only one exists, and Socket.IO would answer each of
    // them.
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
    this.removeAllListeners();
  }
}

export const parser = { protocol: 5, PacketType, Encoder, Decoder };
