/** Writes and reads the numbers and bytes of messages between servers. */
import { FrameError } from '../../../shared/codec/frame.ts';

export class MessageWriter {
  private bytes = new Uint8Array(256);
  private length = 0;

  /** @param value 0…255 */
  byte(value: number): this {
    this.reserve(1);
    this.bytes[this.length++] = value;
    return this;
  }

  /** @param value a whole number from 0 below 2⁵³; seven bits a byte */
  number(value: number): this {
    this.reserve(8);
    let rest = value;
    while (rest >= 128) {
      this.bytes[this.length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.length++] = rest;
    return this;
  }

  /** Bytes and how many. */
  block(bytes: Uint8Array): this {
    this.number(bytes.length);
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array(2 * (this.length + more));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}

/** Reads what `MessageWriter` has written. Each method @throws FrameError truncated */
export class MessageReader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw new FrameError('truncated');
    return this.bytes[this.at++];
  }

  number(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 56; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw new FrameError('truncated');
  }

  /** A view of the message. */
  block(): Uint8Array {
    const length = this.number();
    if (length > this.bytes.length - this.at) throw new FrameError('truncated');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}
