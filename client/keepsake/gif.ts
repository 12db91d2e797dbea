/** Moving pictures as GIF (89a): every phone shows, keeps and sends them. */

export interface GifFrame {
  /** [height × width] colours, as their place in the palette. */
  readonly pixels: Uint8Array;
  /** How long it is shown, hundredths of a second. */
  readonly delay: number;
}

const COLORS = 256;
const CODE_BITS = 8;
const MAX_CODES = 4_096;

/** Grows as it is written to. */
class Writer {
  private bytes = new Uint8Array(65_536);
  private length = 0;

  byte(value: number): void {
    if (this.length === this.bytes.length) {
      const larger = new Uint8Array(2 * this.length);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes[this.length++] = value;
  }

  short(value: number): void {
    this.byte(value & 0xff);
    this.byte(value >> 8);
  }

  all(values: Iterable<number>): void {
    for (const value of values) this.byte(value);
  }

  text(text: string): void {
    for (const letter of text) this.byte(letter.charCodeAt(0));
  }

  taken(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }
}

/**
 * @param palette [256 × 3] red, green, blue
 * @param frames shown one after the other, again and again
 */
export function encodeGif(
  width: number,
  height: number,
  palette: Uint8Array,
  frames: readonly GifFrame[],
): Uint8Array<ArrayBuffer> {
  const out = new Writer();
  out.text('GIF89a');
  out.short(width);
  out.short(height);
  // A global palette of 256 colours of 8 bits each.
  out.all([0xf7, 0, 0]);
  out.all(palette.subarray(0, 3 * COLORS));
  out.all([0x21, 0xff, 11]);
  out.text('NETSCAPE2.0');
  out.all([3, 1, 0, 0, 0]);
  for (const { pixels, delay } of frames) {
    out.all([0x21, 0xf9, 4, 4]);
    out.short(delay);
    out.all([0, 0, 0x2c, 0, 0, 0, 0]);
    out.short(width);
    out.short(height);
    out.byte(0);
    out.byte(CODE_BITS);
    writeBlocks(compress(pixels), out);
  }
  out.byte(0x3b);
  return out.taken();
}

function writeBlocks(bytes: Uint8Array, out: Writer): void {
  for (let from = 0; from < bytes.length; from += 255) {
    const block = bytes.subarray(from, from + 255);
    out.byte(block.length);
    out.all(block);
  }
  out.byte(0);
}

/** LZW with codes that grow from 9 to 12 bits, lowest bit first. */
function compress(pixels: Uint8Array): Uint8Array {
  const clear = 1 << CODE_BITS;
  const end = clear + 1;
  const out = new Writer();
  let buffer = 0;
  let filled = 0;
  let bits = CODE_BITS + 1;
  const write = (code: number): void => {
    buffer |= code << filled;
    filled += bits;
    while (filled >= 8) {
      out.byte(buffer & 0xff);
      buffer >>>= 8;
      filled -= 8;
    }
  };
  // By a known sequence's code and the pixel after it: the code of both together.
  const known = new Uint16Array(MAX_CODES << 8);
  let next = end + 1;
  write(clear);
  let code = pixels[0];
  for (let i = 1; i < pixels.length; i++) {
    const key = (code << 8) | pixels[i];
    if (known[key] !== 0) {
      code = known[key];
      continue;
    }
    write(code);
    if (next < MAX_CODES) {
      // The decoder learns this code one step later, and widens then.
      if (next === 1 << bits) bits++;
      known[key] = next++;
    } else {
      write(clear);
      known.fill(0);
      bits = CODE_BITS + 1;
      next = end + 1;
    }
    code = pixels[i];
  }
  write(code);
  if (next === 1 << bits && bits < 12) bits++;
  write(end);
  if (filled > 0) out.byte(buffer & 0xff);
  return out.taken();
}
