/**
 * A small MessagePack reader for pages: the library's reader, with what makes it fast for the large
 * maps of others, would add 3 kB to the download.
 */

/**
 * Decodes a value as servers write it (`Packr` of msgpackr with `OPTIONS`): null, undefined,
 * booleans, numbers, strings, bytes, and arrays and plain records of these.
 *
 * @returns the value; its bytes are views of those passed in
 * @throws RangeError, TypeError: truncated, more than one value, nested too deeply, or of another type
 */
export function unpack(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = reader.value();
  reader.end();
  return value;
}

class Reader {
  private at = 0;
  private readonly view: DataView;
  private readonly texts = new TextDecoder();

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  end(): void {
    if (this.at < this.bytes.length) throw new RangeError('bad packet');
  }

  value(): unknown {
    const code = this.unsigned(0);
    if (code < 0x80) return code;
    if (code < 0x90) return this.record(code & 15);
    if (code < 0xa0) return this.list(code & 15);
    if (code < 0xc0) return this.text(code & 31);
    if (code >= 0xe0) return code - 256;
    // Codes of several sizes follow each other: of 1, 2 and 4 bytes.
    switch (code) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return code === 0xc3;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.take(this.unsigned(code - 0xc4));
      case 0xcb:
        return this.view.getFloat64(this.skip(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.unsigned(code - 0xcc);
      case 0xd0:
        return this.view.getInt8(this.skip(1));
      case 0xd1:
        return this.view.getInt16(this.skip(2));
      case 0xd2:
        return this.view.getInt32(this.skip(4));
      case 0xd4:
        // The library's own extension, of two bytes.
        if (this.unsigned(1) === 0) return undefined;
        break;
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.text(this.unsigned(code - 0xd9));
      case 0xdc:
      case 0xdd:
        return this.list(this.unsigned(code - 0xdb));
      case 0xde:
      case 0xdf:
        return this.record(this.unsigned(code - 0xdd));
    }
    throw new TypeError('bad packet');
  }

  /** @returns where the skipped bytes are; a view that is read beyond its end throws */
  private skip(size: number): number {
    this.at += size;
    return this.at - size;
  }

  /** @param power log₂ of its bytes, 0…2 */
  private unsigned(power: number): number {
    const at = this.skip(1 << power);
    if (power === 0) return this.view.getUint8(at);
    return power === 1 ? this.view.getUint16(at) : this.view.getUint32(at);
  }

  private take(size: number): Uint8Array {
    const at = this.skip(size);
    if (this.at > this.bytes.length) throw new RangeError('truncated');
    return this.bytes.subarray(at, this.at);
  }

  private text(size: number): string {
    return this.texts.decode(this.take(size));
  }

  private list(length: number): unknown[] {
    const items: unknown[] = [];
    while (items.length < length) items.push(this.value());
    return items;
  }

  private record(length: number): Record<string, unknown> {
    const fields: [string, unknown][] = [];
    while (fields.length < length) fields.push([String(this.value()), this.value()]);
    // Unlike assignments, this makes a field of any name.
    return Object.fromEntries(fields);
  }
}
