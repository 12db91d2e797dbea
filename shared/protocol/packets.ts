/**
 * Socket.IO's parser over MessagePack: every packet is one binary message with raw cell data.
 * (The default parser sends a text message with placeholders and a second, binary one.)
 * Interface: https://socket.io/docs/v4/custom-parser/
 */
import { Emitter } from '@socket.io/component-emitter';

/** As in socket.io-protocol 5, without the BINARY types: any packet may carry bytes. */
const PacketType = { CONNECT: 0, DISCONNECT: 1, EVENT: 2, ACK: 3, CONNECT_ERROR: 4 } as const;

interface Packet {
  type: number;
  nsp: string;
  data?: unknown;
  id?: number | undefined;
}

/** Socket.IO's own events: a client that sends one could trigger our handlers for it. */
const RESERVED = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'error',
  'newListener',
  'removeListener',
]);

/** Packets come from untrusted clients, so records, extensions and structured clones are off. */
export const OPTIONS = {
  useRecords: false,
  moreTypes: false,
  structuredClone: false,
  variableMapSize: true,
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasValidData(type: number, data: unknown): boolean {
  switch (type) {
    case PacketType.CONNECT:
      return data === undefined || data === null || isRecord(data);
    case PacketType.DISCONNECT:
      return data === undefined || data === null;
    case PacketType.CONNECT_ERROR:
      return typeof data === 'string' || isRecord(data);
    case PacketType.EVENT:
      return Array.isArray(data) && typeof data[0] === 'string' && !RESERVED.has(data[0]);
    default:
      // Acknowledgements are not used.
      return false;
  }
}

/** Writes one value as MessagePack. */
export type Pack = (value: unknown) => Uint8Array;
/** Reads the one value of a message. @throws Error it is malformed */
export type Unpack = (bytes: Uint8Array) => unknown;

interface DecoderEvents {
  decoded: (packet: Packet) => void;
}

class PacketDecoder extends Emitter<DecoderEvents, DecoderEvents> {
  constructor(private readonly unpack: Unpack) {
    super();
  }

  /**
   * Decodes one message and emits its packet.
   *
   * @throws Error for an invalid packet; Socket.IO then closes the connection
   */
  add(message: unknown): void {
    if (typeof message === 'string') throw new Error('bad packet');
    const bytes =
      message instanceof ArrayBuffer ? new Uint8Array(message) : (message as Uint8Array);
    const packet: unknown = this.unpack(bytes);
    if (!isRecord(packet)) throw new Error('bad packet');
    const { type, nsp, data, id } = packet;
    // There is only one namespace; Socket.IO would answer each packet for another one.
    if (typeof type !== 'number' || nsp !== '/') throw new Error('bad packet');
    if (id !== undefined && id !== null && !Number.isSafeInteger(id)) throw new Error('bad packet');
    if (!hasValidData(type, data)) throw new Error('bad packet');
    this.emit('decoded', {
      type,
      nsp,
      data: data ?? undefined,
      id: (id ?? undefined) as number | undefined,
    });
  }

  destroy(): void {
    this.off();
  }
}

/** Makes the writer and the reader of one connection's messages, or of a whole server's. */
interface Packing {
  newPack(): Pack;
  newUnpack(): Unpack;
}

export function createParser({ newPack, newUnpack }: Packing) {
  return {
    protocol: 5,
    PacketType,
    Encoder: class {
      readonly pack = newPack();

      /** @returns one message */
      encode({ type, nsp, data, id }: Packet): Uint8Array[] {
        return [this.pack({ type, nsp, data, id })];
      }
    },
    Decoder: class extends PacketDecoder {
      constructor() {
        super(newUnpack());
      }
    },
  };
}
