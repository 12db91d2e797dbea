/**
 * A small MessagePack writer for pages: their messages are short, and the library's writer would
 * add 6 kB to the download. Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */

/**
 * Encodes a value as MessagePack.
 *
 * @param value null, booleans, numbers, strings, bytes, and arrays and plain records of these;
 *   undefined fields of records are omitted
 * @throws TypeError for anything else
 */
export function pack(value: unknown): Uint8Array {
  const bytes: number[] = [];
  write(value, bytes);
  return Uint8Array.from(bytes);
}

function write(value: unknown, out: number[]): void {
  if (value === null || value === undefined) out.push(0xc0);
  else if (typeof value === 'boolean') out.push(value ? 0xc3 : 0xc2);
  else if (typeof value === 'number') writeNumber(value, out);
  else if (typeof value === 'string') {
    const text = new TextEncoder().encode(value);
    writeSize(text.length, out, [0xa0, 32], [0xd9, 0xda, 0xdb]);
    append(text, out);
  } else if (value instanceof Uint8Array) {
    writeSize(value.length, out, [0, 0], [0xc4, 0xc5, 0xc6]);
    append(value, out);
  } else if (Array.isArray(value)) {
    writeSize(value.length, out, [0x90, 16], [0, 0xdc, 0xdd]);
    for (const item of value) write(item, out);
  } else if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    writeSize(entries.length, out, [0x80, 16], [0, 0xde, 0xdf]);
    for (const [key, item] of entries) {
      write(key, out);
      write(item, out);
    }
  } else throw new TypeError('bad packet');
}

/** Small integers take one to five bytes; all other numbers are doubles. */
function writeNumber(value: number, out: number[]): void {
  const whole = Number.isInteger(value) && !Object.is(value, -0);
  if (whole && value >= -32 && value < 128) out.push(value & 0xff);
  else if (whole && value >= 0 && value < 2 ** 32) out.push(0xce, ...bigEndian(value, 4));
  else {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    out.push(0xcb);
    append(new Uint8Array(view.buffer), out);
  }
}

/**
 * @param fix the code of small sizes, and from which size on it cannot hold them
 * @param codes of sizes in one, two and four bytes; 0 where there is none
 */
function writeSize(
  size: number,
  out: number[],
  [fix, limit]: readonly [number, number],
  codes: readonly [number, number, number],
): void {
  if (size < limit) out.push(fix | size);
  else if (size < 2 ** 8 && codes[0]) out.push(codes[0], size);
  else if (size < 2 ** 16) out.push(codes[1], ...bigEndian(size, 2));
  else out.push(codes[2], ...bigEndian(size, 4));
}

function bigEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => (value / 2 ** (8 * (bytes - 1 - i))) & 0xff);
}

function append(bytes: Uint8Array, out: number[]): void {
  for (const byte of bytes) out.push(byte);
}
