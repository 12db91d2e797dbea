/**
 * Validates a MessagePack message before it is decoded. The message may contain numbers, strings,
 * bytes, arrays and maps, with limited nesting. Extension types are rejected, because decoders
 * create sets, errors, regular expressions and references from them. Format:
 * https://github.com/msgpack/msgpack/blob/master/spec.md
 */

/**
 * Maximum nesting depth. Real messages need four levels: an array, a message, a seed and a latent.
 */
const MAX_DEPTH = 8;

/**
 * Number of bytes that follow each first byte from 0xc0 to 0xdf; -1 if the number varies or the
 * type is not allowed.
 */
const SIZES = [
  // nil, (never used), false, true
  0, -1, 0, 0,
  // bin 8, 16, 32; ext 8, 16, 32
  -1, -1, -1, -1, -1, -1,
  // float 32, 64; uint 8 … 64; int 8 … 64
  4, 8, 1, 2, 4, 8, 1, 2, 4, 8,
  // fixext 1 … 16; str 8, 16, 32; array 16, 32; map 16, 32
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
];

/**
 * For each first byte that is followed by a length: the length's size in bytes, and what it counts.
 */
const LENGTHS: Readonly<Record<number, readonly [width: number, of: 'bytes' | 'items' | 'pairs']>> =
  {
    196: [1, 'bytes'],
    197: [2, 'bytes'],
    198: [4, 'bytes'],
    217: [1, 'bytes'],
    218: [2, 'bytes'],
    219: [4, 'bytes'],
    220: [2, 'items'],
    221: [4, 'items'],
    222: [2, 'pairs'],
    223: [4, 'pairs'],
  };

/** @returns whether the bytes are exactly one value of the allowed types */
export function isWellFormed(bytes: Uint8Array): boolean {
  const reader = new Reader(bytes);
  return reader.value(0) && reader.isAtEnd;
}

/**
 * Returns whether a first byte begins a string. Map keys must be strings, because msgpackr fails on
 * other keys.
 */
const isText = (first: number): boolean =>
  (first >= 0xa0 && first < 0xc0) || (first >= 0xd9 && first <= 0xdb);

class Reader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  value(depth: number): boolean {
    const { bytes } = this;
    if (this.at >= bytes.length) return false;
    const first = bytes[this.at++];
    if (first < 0x80 || first >= 0xe0) return true;
    if (first < 0x90) return this.pairs(first & 0x0f, depth + 1);
    if (first < 0xa0) return this.values(first & 0x0f, depth + 1);
    if (first < 0xc0) return this.skip(first & 0x1f);
    // msgpackr encodes `undefined` as an extension type, so allow this extension.
    if (first === 0xd4) return bytes[this.at] === 0 && this.skip(2);
    const length = LENGTHS[first];
    if (!length) return SIZES[first - 0xc0] >= 0 && this.skip(SIZES[first - 0xc0]);
    const [width, of] = length;
    if (this.at + width > bytes.length) return false;
    let count = 0;
    for (let i = 0; i < width; i++) count = count * 256 + bytes[this.at++];
    if (of === 'bytes') return this.skip(count);
    return of === 'pairs' ? this.pairs(count, depth + 1) : this.values(count, depth + 1);
  }

  private values(count: number, depth: number): boolean {
    // Each value has at least one byte, so reject a count that exceeds the remaining bytes, before
    // anything is allocated.
    if (count > this.bytes.length - this.at || (count > 0 && depth > MAX_DEPTH)) return false;
    for (let i = 0; i < count; i++) if (!this.value(depth)) return false;
    return true;
  }

  private pairs(count: number, depth: number): boolean {
    if (2 * count > this.bytes.length - this.at || (count > 0 && depth > MAX_DEPTH)) return false;
    for (let i = 0; i < count; i++) {
      if (!isText(this.bytes[this.at]) || !this.value(depth) || !this.value(depth)) return false;
    }
    return true;
  }

  private skip(count: number): boolean {
    this.at += count;
    return this.at <= this.bytes.length;
  }
}
