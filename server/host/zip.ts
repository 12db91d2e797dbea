/**
 * Writes ZIP archives without compression, as PNG files are already compressed.
 * Format: APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.
 */
import { crc32 } from 'node:zlib';

/** A file in the archive. */
export interface ZipEntry {
  /** ASCII. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

const UTF8 = 0x0800;
const STORED = 0;
/** 1980-01-01, the format's first day; the files' names say when a picture was taken. */
const DAY = 0x0021;

/** The fields that both headers of an entry have, from version to length of the name. */
function common({ name, bytes }: ZipEntry): Buffer {
  const header = Buffer.alloc(26);
  header.writeUInt16LE(20, 0);
  header.writeUInt16LE(UTF8, 2);
  header.writeUInt16LE(STORED, 4);
  header.writeUInt16LE(0, 6);
  header.writeUInt16LE(DAY, 8);
  header.writeUInt32LE(crc32(bytes), 10);
  header.writeUInt32LE(bytes.length, 14);
  header.writeUInt32LE(bytes.length, 18);
  header.writeUInt16LE(Buffer.byteLength(name), 22);
  return header;
}

/** Yields the parts of an archive in order; limited to 4 GiB and 65,535 entries. */
export function* zip(entries: Iterable<ZipEntry>): Generator<Uint8Array> {
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const fields = common(entry);
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), fields, name]);
    yield local;
    yield entry.bytes;
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\u0001\u0002\u0014\u0000'), fields, rest, name]));
    offset += local.length + entry.bytes.length;
  }
  const list = Buffer.concat(directory);
  yield list;
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006');
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  yield end;
}
