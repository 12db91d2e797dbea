/**
 * Reads and writes packets for many clients of one process. What all are sent alike is unpacked
 * once; for the others it is compared byte for byte.
 */
import { parser } from '../../shared/protocol/parser.ts';
import { frameOf } from './light-socket.ts';

/** A packet of the server. */
export type Packet =
  | { readonly what: 'connected' | 'disconnected' }
  | { readonly what: 'event'; readonly name: string; readonly message: unknown };

/** Packets that are remembered: those of a tick or two. */
const REMEMBERED = 6;
const { CONNECT, EVENT } = parser.PacketType;
/** A short text of MessagePack: this, and its length. */
const SHORT_TEXT = 0xa0;
/** Bytes of MessagePack, by how many bytes say their length. */
const BYTES: Readonly<Record<number, number>> = { 196: 1, 197: 2, 198: 4 };

/** What the clients of a process have in common: packets to read and to send. */
export class PacketCache {
  /** Asks to be let in. */
  readonly greeting: Uint8Array;
  private readonly encoder = new parser.Encoder();
  private readonly decoder = new parser.Decoder();
  private readonly known: { readonly bytes: Uint8Array; readonly packet: Packet }[] = [];
  private acknowledgement:
    | { readonly tick: number; readonly bytes: Uint8Array; readonly frame: Uint8Array }
    | undefined;
  /** Bytes of an event's packet before its name. */
  private readonly start: Uint8Array;
  private latest: Packet = { what: 'disconnected' };
  private later: (() => void)[] = [];

  constructor() {
    [this.greeting] = this.encoder.encode({ type: CONNECT, nsp: '/' });
    const event = this.write('-', 0);
    this.start = event.subarray(0, event.indexOf(SHORT_TEXT + 1, event.indexOf(0x92)));
    this.decoder.on('decoded', ({ type, data }) => {
      const [name, message] = (type === EVENT ? data : []) as [string, unknown];
      if (type === EVENT) this.latest = { what: 'event', name, message };
      else this.latest = { what: type === CONNECT ? 'connected' : 'disconnected' };
    });
  }

  /** Its name without its message; undefined: the packet is no event. */
  eventIn(packet: Buffer): string | undefined {
    const at = this.start.length;
    if (packet.compare(this.start, 0, at, 0, at) !== 0) return undefined;
    return packet.toString('latin1', at + 1, at + 1 + packet[at] - SHORT_TEXT);
  }

  /** The bytes that are an event's message, where they lie. */
  bytesIn(packet: Buffer, event: string): Buffer {
    const at = this.start.length + 1 + event.length;
    const size = BYTES[packet[at]];
    const from = at + 1 + size;
    return packet.subarray(from, from + packet.readUIntBE(at + 1, size));
  }

  /** @throws Error no packet */
  read(packet: Uint8Array): Packet {
    const known = this.known.find((one) => Buffer.compare(one.bytes, packet) === 0);
    if (known) return known.packet;
    // Of a connection that reads over it.
    const bytes = Buffer.from(packet);
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
  received(tick: number): { readonly bytes: Uint8Array; readonly frame: Uint8Array } {
    if (this.acknowledgement?.tick !== tick) {
      const bytes = this.write('received', { tick });
      this.acknowledgement = { tick, bytes, frame: frameOf(bytes) };
    }
    return this.acknowledgement;
  }

  /**
   * Sends something once all that has come to this process was read: each client is a device of its
   * own, which does not wait until another one has answered.
   */
  sendLater(send: () => void): void {
    this.later.push(send);
    if (this.later.length > 1) return;
    setImmediate(() => {
      const { later } = this;
      this.later = [];
      for (const one of later) one();
    });
  }
}
