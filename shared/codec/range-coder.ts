/**
 * An adaptive binary range coder (Martin 1979; carries as in LZMA). A context holds the log-odds of
 * a bit in one situation. A bit has up to four contexts, and the sum of their log-odds predicts the
 * bit. These contexts then learn from the bit (logistic regression, as in context mixing; Mahoney
 * 2005). Writer and reader have the same interface, so that the same code encodes and decodes. All
 * arithmetic uses small integers, so that all machines compute equal results.
 */

const { exp, imul, max, min, round } = Math;

/**
 * For each context, the log-odds that a bit is 1, in units of 1/`UNIT`. Index 0 is `NONE`. If these
 * numbers overflow, coding still works, because writer and reader overflow in the same way.
 */
export type Contexts = Int16Array;
/** Number that represents log-odds of 1 in `Contexts`. */
export const UNIT = 2048;
/** Index of a dummy context. Its log-odds are always 0, so it adds nothing to a sum of log-odds. */
export const NONE = 0;
/**
 * Learning rate of contexts. After each bit, a context's log-odds change by `RATE` × (bit −
 * predicted probability), in units of 1/`UNIT`.
 */
const RATE = 140;

/**
 * Initial and maximum size of the range. When the range falls below `TOP`, the coder writes or
 * reads a byte. With a larger maximum, coding would be several times slower, because numbers would
 * exceed the small integers of JavaScript engines.
 */
const WINDOW = 2 ** 24;
const TOP = 2 ** 16;
/** Minimum distance of any predicted probability from 0 and from 1, in 65,536ths. */
const LEAST = 64;

/** Shift that converts log-odds from units of 1/2048 to the units of `PROBABILITIES`, 1/256. */
const STEP_BITS = 3;
/** Index in `PROBABILITIES` for log-odds of 0. */
const HALF = 2048;
/**
 * Maps log-odds from −8 to 8, in steps of 1/256, to the probability that a bit is 1, in 65,536ths.
 * `exp` differs slightly between JavaScript engines, but too little to change a rounded value.
 */
const PROBABILITIES = Uint16Array.from({ length: 2 * HALF }, (_, i) =>
  max(LEAST, min(65_536 - LEAST, round(65_536 / (1 + exp((HALF - i) / 256))))),
);

/**
 * Returns the predicted probability that a bit is 1, in 65,536ths.
 *
 * @param odds sum of the contexts' log-odds
 */
function predict(odds: number): number {
  const at = (odds >> STEP_BITS) + HALF;
  return PROBABILITIES[at < 0 ? 0 : at >= 2 * HALF ? 2 * HALF - 1 : at];
}

/**
 * Computes the change of a context's log-odds after a bit.
 *
 * @param probability predicted probability that the bit is 1, in 65,536ths
 */
const stepAfter = (probability: number, bit: number): number =>
  imul((bit << 16) - probability, RATE) >> 16;

/** Computes the size of a range's lower part. The lower part encodes a 1, the upper part a 0. */
const shareOf = (range: number, probability: number): number =>
  imul(range >>> 8, probability) >>> 8;

/** Common base of `RangeWriter` and `RangeReader`. */
export abstract class BitCoder {
  protected range = WINDOW;
  /**
   * In a writer: the lower end of the range. In a reader: how far the number that the bytes encode
   * lies above this end.
   */
  protected low = 0;

  /** @param reads true for a reader, false for a writer. A reader ignores the values to write */
  constructor(
    readonly reads: boolean,
    private readonly contexts: Contexts,
  ) {}

  /**
   * Writes or reads a bit, predicted by up to four contexts with the indices `a` to `d`.
   *
   * @param bit the bit to write, 0 or 1
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
    // Indices that were left out refer to the dummy context, so the assignments above may have
    // changed it. Reset it.
    contexts[NONE] = 0;
    while (this.range < TOP) this.shift();
    return coded;
  }

  /**
   * Writes or reads a number without prediction, as if all values were equally likely.
   *
   * @param bits number of bits, 0…24
   * @returns the number that was written or read
   */
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

  /** Writes or reads the next byte, and multiplies the range by 256. */
  protected abstract shift(): void;
}

export class RangeWriter extends BitCoder {
  private bytes = new Uint8Array(256);
  private length = 0;
  private cache = 0;
  /** Number of 0xff bytes that are not written yet, because a carry may still turn them into 0. */
  private waiting = 0;
  /** Whether the first byte has been skipped. The first byte is always 0, so it is not written. */
  private started = false;

  constructor(contexts: Contexts) {
    super(false, contexts);
  }

  /** Returns the encoded bytes, without zeros at the end, and resets the writer. */
  finish(): Uint8Array {
    // Any number in the range is valid. Choose one with many zero bits at the end, because zero
    // bytes at the end are omitted.
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

/** Reads the bits that a `RangeWriter` has written. Never fails: any bytes decode to some bits. */
export class RangeReader extends BitCoder {
  private position = 0;

  constructor(
    contexts: Contexts,
    private bytes: Uint8Array = new Uint8Array(0),
  ) {
    super(true, contexts);
    this.begin(bytes);
  }

  /** Starts reading the bytes of a `RangeWriter`. After the last byte, zeros are read. */
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
