/**
 * Counts the WebSocket frames of one connection as they come down the wire, by their headers alone (RFC 6455, 5.2). Written
 * here since `ws` tells of pings and messages only after it has dealt with them, and of fragments not at all.
 */

/** What a piece of the wire holds, as far as it is charged. */
export interface Charge {
  /** Bytes to charge: those of the piece, and for each frame that is shorter what it lacks to the least that one costs. */
  readonly bytes: number;
  /** Frames that are not a whole message of ours: control frames, texts and fragments. */
  readonly others: number;
}

const FINAL = 0x80;
const BINARY = 0x02;
const CONTINUATION = 0x00;
const MASKED = 0x80;

/** Header's bytes after the first two. */
function restOf(second: number): number {
  const length = second & 0x7f;
  return (length === 126 ? 2 : length === 127 ? 8 : 0) + (second & MASKED ? 4 : 0);
}

export class FrameMeter {
  /** Bytes of the header that have come. */
  private readonly header = new Uint8Array(14);
  private read = 0;
  /** Bytes of the payload that are still to come. */
  private payload = 0;

  /** @param least bytes that each frame costs */
  constructor(private readonly least: number) {}

  /** A piece has come; pieces may be cut anywhere. */
  push(piece: Uint8Array): Charge {
    let { length: bytes } = piece;
    let others = 0;
    let at = 0;
    for (;;) {
      const skipped = Math.min(this.payload, piece.length - at);
      this.payload -= skipped;
      at += skipped;
      if (at === piece.length) return { bytes, others };
      this.header[this.read++] = piece[at++];
      const [first, second] = this.header;
      if (this.read < 2 || this.read < 2 + restOf(second)) continue;
      this.payload = this.length();
      bytes += Math.max(0, this.least - this.read - this.payload);
      if (!isMessage(first)) others++;
      this.read = 0;
    }
  }

  private length(): number {
    const short = this.header[1] & 0x7f;
    const width = short === 126 ? 2 : short === 127 ? 8 : 0;
    let length = width === 0 ? short : 0;
    for (let i = 0; i < width; i++) length = length * 256 + this.header[2 + i];
    return length;
  }
}

/** The frame that ends a message is charged as that message. */
function isMessage(first: number): boolean {
  const opcode = first & 0x0f;
  return (first & FINAL) !== 0 && (opcode === BINARY || opcode === CONTINUATION);
}
