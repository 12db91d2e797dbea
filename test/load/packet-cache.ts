/**
 * Reads and writes packets for many clients of one process. What all are sent alike is unpacked
 * once; for the others it is compared byte for byte.
 */
import { parser } from '../../shared/protocol/parser.ts';

/** A packet of the server. */
export type Packet =
  | { readonly what: 'connected' | 'disconnected' }
  | { readonly what: 'event'; readonly name: string; readonly message: unknown };

/** Packets that are remembered: those of a tick or two. */
const REMEMBERED = 6;
const { CONNECT, EVENT } = parser.PacketType;

export class PacketCache {
  /** Asks to be let in. */
  readonly greeting: Uint8Array;
  private readonly encoder = new parser.Encoder();
  private readonly decoder = new parser.Decoder();
  private readonly known: { readonly bytes: Uint8Array; readonly packet: Packet }[] = [];
  private acknowledgement: { readonly tick: number; readonly bytes: Uint8Array } | undefined;
  private latest: Packet = { what: 'disconnected' };

  constructor() {
    [this.greeting] = this.encoder.encode({ type: CONNECT, nsp: '/' });
    this.decoder.on('decoded', ({ type, data }) => {
      const [name, message] = (type === EVENT ? data : []) as [string, unknown];
      if (type === EVENT) this.latest = { what: 'event', name, message };
      else this.latest = { what: type === CONNECT ? 'connected' : 'disconnected' };
    });
  }

  /** @param bytes are kept, and must not change @throws Error no packet */
  read(bytes: Uint8Array): Packet {
    const known = this.known.find((one) => Buffer.compare(one.bytes, bytes) === 0);
    if (known) return known.packet;
    this.decoder.add(bytes);
    this.known.unshift({ bytes, packet: this.latest });
    this.known.length = Math.min(this.known.length, REMEMBERED);
    return this.latest;
  }

  write(name: string, message: unknown): Uint8Array {
    const [bytes] = this.encoder.encode({ type: EVENT, nsp: '/', data: [name, message] });
    // The writer may use its buffer again.
    return bytes.slice();
  }

  /** Acknowledges the frame of a tick: the same bytes for every client that has seen it. */
  received(tick: number): Uint8Array {
    if (this.acknowledgement?.tick !== tick) {
      this.acknowledgement = { tick, bytes: this.write('received', { tick }) };
    }
    return this.acknowledgement.bytes;
  }
}
