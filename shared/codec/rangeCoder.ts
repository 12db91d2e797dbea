/**
 * An adaptive binary range coder: bits go out at the cost of how surprising they are (Martin 1979; carries as in LZMA). A writer
 * and a reader have one interface, so that one description of a block serves both ways and they cannot disagree.
 */

/** Looked up once: where globals live in a sandbox, each look costs more than the sum. */
const { ceil, floor } = Math;

/** Probabilities of a 1, in 65,536ths, that learn from the bits they are asked about. */
export type Contexts = Uint16Array;

/** How far a probability goes towards each bit it sees: 1/32 of the way. */
const RATE = 5;
const TOP = 2 ** 24;
/** Probabilities keep so far from certainty, in 65,536ths. */
const LEAST = 64;

/** Writes or reads bits. */
export interface BitCoder {
  /** Whether bits are read: arguments that hold what is to be written mean nothing then. */
  readonly reads: boolean;
  /**
   * A bit under a context.
   *
   * @param context index into the contexts
   * @param bit 0 or 1: what is written
   * @returns the bit that was written, or read
   */
  bit(context: number, bit: number): number;
  /** A number of so many bits, 1…24, of which nothing is expected. */
  plain(bits: number, value: number): number;
}

function learn(contexts: Contexts, context: number, bit: number): void {
  const p = contexts[context];
  contexts[context] = bit ? p + ((65_536 - LEAST - p) >> RATE) : p - ((p - LEAST) >> RATE);
}

export class RangeWriter implements BitCoder {
  readonly reads = false;
  private bytes = new Uint8Array(256);
  private length = 0;
  private low = 0;
  private range = 0xffffffff;
  private cache = 0;
  /** Bytes that wait for a carry; the very first is always 0 and is not written. */
  private waiting = 0;

  constructor(private readonly contexts: Contexts) {}

  bit(context: number, bit: number): number {
    const bound = (this.range >>> 16) * this.contexts[context];
    if (bit) this.range = bound;
    else {
      this.low += bound;
      this.range -= bound;
    }
    learn(this.contexts, context, bit);
    while (this.range < TOP) this.shift();
    return bit;
  }

  plain(bits: number, value: number): number {
    for (let i = bits - 1; i >= 0; i--) {
      this.range >>>= 1;
      if ((value >>> i) & 1) this.low += this.range;
      while (this.range < TOP) this.shift();
    }
    return value;
  }

  /** Ends the writing. Zeros at the end are left out: a reader finds them there anyway. */
  finish(): Uint8Array {
    // Of all numbers that still mean the same, one that ends in many zeros.
    for (let bits = 31; bits > 0; bits--) {
      const step = 2 ** bits;
      const round = ceil(this.low / step) * step;
      if (round < this.low + this.range) {
        this.low = round;
        break;
      }
    }
    for (let i = 0; i < 5; i++) this.shift();
    let end = this.length;
    while (end > 0 && this.bytes[end - 1] === 0) end--;
    return this.bytes.slice(0, end);
  }

  private shift(): void {
    if (this.low < 0xff000000 || this.low > 0xffffffff) {
      const carry = this.low > 0xffffffff ? 1 : 0;
      if (this.started) this.push(this.cache + carry);
      for (; this.waiting > 0; this.waiting--) this.push(0xff + carry);
      this.started = true;
      this.cache = floor(this.low / TOP) & 0xff;
    } else this.waiting++;
    this.low = (this.low % TOP) * 256;
    this.range = (this.range * 256) >>> 0;
  }

  private started = false;

  private push(byte: number): void {
    if (this.length === this.bytes.length) {
      const larger = new Uint8Array(2 * this.length);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes[this.length++] = byte;
  }
}

export class RangeReader implements BitCoder {
  readonly reads = true;
  private at = 0;
  private code = 0;
  private range = 0xffffffff;

  /** Reads zeros after the end, as long as it is asked. */
  constructor(
    private readonly contexts: Contexts,
    private readonly bytes: Uint8Array,
  ) {
    for (let i = 0; i < 4; i++) this.code = this.code * 256 + this.next();
  }

  bit(context: number, _bit?: number): number {
    const bound = (this.range >>> 16) * this.contexts[context];
    const bit = this.code < bound ? 1 : 0;
    if (bit) this.range = bound;
    else {
      this.code -= bound;
      this.range -= bound;
    }
    learn(this.contexts, context, bit);
    while (this.range < TOP) this.shift();
    return bit;
  }

  plain(bits: number, _value?: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) {
      this.range >>>= 1;
      const bit = this.code >= this.range ? 1 : 0;
      if (bit) this.code -= this.range;
      value = (value << 1) | bit;
      while (this.range < TOP) this.shift();
    }
    return value;
  }

  private shift(): void {
    this.code = ((this.code * 256) >>> 0) + this.next();
    this.range = (this.range * 256) >>> 0;
  }

  private next(): number {
    return this.at < this.bytes.length ? this.bytes[this.at++] : 0;
  }
}
