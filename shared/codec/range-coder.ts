/**
 * An adaptive binary range coder (Martin 1979; carries as in LZMA) with mixed probabilities. The
 * log-odds of a bit are the sum of the log-odds of its contexts, and all its contexts learn from
 * the bit (logistic regression, as in context mixing; Mahoney 2005). Writer and reader share an
 * interface, so one description of a block serves both directions and they cannot disagree. All
 * arithmetic uses small integers, so that every machine gets equal results.
 */

/** Looked up only once, because access to a global in a sandbox costs more than the arithmetic. */
const { exp, imul, max, min, round } = Math;

/**
 * Log-odds of a 1 that each context adds, in units of 1/`UNIT`. Index 0 is `NONE`. No block is long
 * enough for log-odds to overflow. If one were, they would overflow in the same way in writer and
 * reader.
 */
export type Contexts = Int16Array;
/** Steps per natural unit of log-odds. */
export const UNIT = 2048;
/** A context that adds nothing and never learns. */
export const NONE = 0;
/** How far log-odds move per unit of a prediction's error. */
const RATE = 140;

/**
 * The coder works in a window of 24 bits and emits a byte when the range falls below `TOP`. With 32
 * bits and a carry, numbers would exceed the small integers of JavaScript engines, which are
 * several times faster.
 */
const WINDOW = 2 ** 24;
const TOP = 2 ** 16;
/** Minimum distance of probabilities from 0 and 1, in 65,536ths. */
const LEAST = 64;

/** Number of low bits of log-odds that are dropped to get 256 steps per natural unit. */
const STEP_BITS = 3;
/** Index of log-odds of 0 in `PROBABILITIES`. */
const HALF = 2048;
/**
 * Table of probabilities of a 1, in 65,536ths. Indexed by log-odds from −8 to 8, with 256 steps per
 * natural unit. No value before rounding is so close to a half-integer that two engines could round
 * it differently.
 */
const PROBABILITIES = Uint16Array.from({ length: 2 * HALF }, (_, i) =>
  max(LEAST, min(65_536 - LEAST, round(65_536 / (1 + exp((HALF - i) / 256))))),
);

/** Computes the probability of a 1, in 65,536ths. @param odds sum of the contexts' log-odds */
function predict(odds: number): number {
  const at = (odds >> STEP_BITS) + HALF;
  return PROBABILITIES[at < 0 ? 0 : at >= 2 * HALF ? 2 * HALF - 1 : at];
}

/** Computes how far a bit moves the log-odds. A bit that was almost certain hardly moves them. */
const stepAfter = (probability: number, bit: number): number =>
  imul((bit << 16) - probability, RATE) >> 16;

/** Computes the part of a range that encodes a 1. */
const shareOf = (range: number, probability: number): number =>
  imul(range >>> 8, probability) >>> 8;

/** Writes or reads bits. */
export abstract class BitCoder {
  protected range = WINDOW;
  /**
   * A writer's lower end of the current range; for a reader, how far the read number lies above the
   * lower end of the range. A reader's value is always smaller than `range`, for any input.
   */
  protected low = 0;

  /** @param reads whether bits are read. If so, the values passed in are ignored */
  constructor(
    readonly reads: boolean,
    private readonly contexts: Contexts,
  ) {}

  /**
   * Codes a bit under up to four different contexts.
   *
   * @param bit 0 or 1, the bit to write
   * @param a index into the contexts, as are `b`, `c` and `d`
   * @returns the bit that was written or read
   */
  bit(bit: number, a: number, b = NONE, c = NONE, d = NONE): number {
    const { contexts, reads } = this;
    const oddsA = contexts[a];
    const oddsB = contexts[b];
    const oddsC = contexts[c];
    const oddsD = contexts[d];
    const probability = predict(oddsA + oddsB + oddsC + oddsD);
    const bound = shareOf(this.range, probability);
    const coded = reads ? (this.low < bound ? 1 : 0) : bit;
    if (coded) this.range = bound;
    else {
      this.low += reads ? -bound : bound;
      this.range -= bound;
    }
    const step = stepAfter(probability, coded);
    contexts[a] = oddsA + step;
    contexts[b] = oddsB + step;
    contexts[c] = oddsC + step;
    contexts[d] = oddsD + step;
    // Reset `NONE`, because undoing what it has learned costs less than four checks for it.
    contexts[NONE] = 0;
    while (this.range < TOP) this.shift();
    return coded;
  }

  /** Codes a number of 1…24 bits, all values equally likely. @returns the number */
  plain(bits: number, value: number): number {
    let coded = 0;
    for (let i = bits - 1; i >= 0; i--) {
      this.range >>>= 1;
      const bit = this.reads ? (this.low >= this.range ? 1 : 0) : (value >>> i) & 1;
      if (bit) this.low += this.reads ? -this.range : this.range;
      coded = (coded << 1) | bit;
      while (this.range < TOP) this.shift();
    }
    return coded;
  }

  /** Moves the window by a byte, so that the range grows. */
  protected abstract shift(): void;
}

/** Writes bits to a growing buffer. */
export class RangeWriter extends BitCoder {
  private bytes = new Uint8Array(256);
  private length = 0;
  private cache = 0;
  /** Number of 0xff bytes that are held back until it is known whether a carry changes them. */
  private waiting = 0;
  /** False until the first byte, which is always 0, has been skipped instead of written. */
  private started = false;

  constructor(contexts: Contexts) {
    super(false, contexts);
  }

  /**
   * Returns the encoded bytes, without trailing zeros (which a reader assumes), and resets the
   * writer.
   */
  finish(): Uint8Array {
    // Pick the number in the range that has the most trailing zeros.
    for (let bits = 23; bits > 0; bits--) {
      const step = 1 << bits;
      const round = (this.low + step - 1) & -step;
      if (round < this.low + this.range) {
        this.low = round;
        break;
      }
    }
    for (let i = 0; i < 4; i++) this.shift();
    let end = this.length;
    while (end > 0 && this.bytes[end - 1] === 0) end--;
    const encoded = this.bytes.slice(0, end);
    this.length = this.low = this.cache = this.waiting = 0;
    this.range = WINDOW;
    this.started = false;
    return encoded;
  }

  protected shift(): void {
    if (this.low < WINDOW - TOP || this.low >= WINDOW) {
      const carry = this.low >= WINDOW ? 1 : 0;
      if (this.started) this.push(this.cache + carry);
      for (; this.waiting > 0; this.waiting--) this.push(0xff + carry);
      this.started = true;
      this.cache = (this.low >>> 16) & 0xff;
    } else this.waiting++;
    this.low = (this.low & (TOP - 1)) << 8;
    this.range <<= 8;
  }

  private push(byte: number): void {
    if (this.length === this.bytes.length) {
      const larger = new Uint8Array(2 * this.length);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes[this.length++] = byte;
  }
}

/**
 * Reads the bits that a `RangeWriter` has written. It never fails, because any bytes decode to some
 * bits.
 */
export class RangeReader extends BitCoder {
  private position = 0;

  constructor(
    contexts: Contexts,
    private bytes: Uint8Array = new Uint8Array(0),
  ) {
    super(true, contexts);
    this.begin(bytes);
  }

  /** Starts reading the bytes of `RangeWriter.finish`. After their end, zeros are read. */
  begin(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.range = WINDOW;
    this.position = this.low = 0;
    for (let i = 0; i < 3; i++) this.low = (this.low << 8) | this.next();
  }

  protected shift(): void {
    this.low = (this.low << 8) | this.next();
    this.range <<= 8;
  }

  private next(): number {
    return this.position < this.bytes.length ? this.bytes[this.position++] : 0;
  }
}
