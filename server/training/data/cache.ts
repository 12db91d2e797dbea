/**
 * Caches built sets, one file each: MAGIC, length of the header (u32, little endian), header
 * (JSON), pixels, labels, splits, SHA-256. A set is rebuilt when its file is incomplete, damaged,
 * or from another version or source.
 */
import { createHash, type Hash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildProgress, Dataset, DatasetSource } from './dataset.ts';
import { DatasetError, ioCode } from './errors.ts';

/** Raise it whenever a loader builds a different set from the same source. */
const VERSION = 1;
const MAGIC = 'vivarium training set\n';
const PREFIX = MAGIC.length + 4;
const CHUNK = 64 * 1024 * 1024;
const DIGEST_BYTES = 32;

type Header = Omit<Dataset, 'pixels' | 'labels' | 'splits'> & {
  readonly version: number;
  readonly fingerprint: string;
  readonly labelled: boolean;
  readonly sizes: readonly [train: number, validation: number, test: number];
};

/**
 * Reads a set from the cache, or builds and stores it.
 *
 * @param config distinguishes sets of one name: a file each
 * @throws DatasetError what `source.build` throws; unwritable-cache
 */
export async function cached(
  source: DatasetSource,
  config: object,
  folder: string,
  onProgress: BuildProgress,
): Promise<Dataset> {
  const id = createHash('sha256').update(JSON.stringify(config)).digest('hex').slice(0, 12);
  const file = join(folder, `${source.name}-${id}.bin`);
  const stored = await read(file, source.fingerprint).catch(() => undefined);
  if (stored !== undefined) return stored;
  const data = await source.build(onProgress);
  await write(file, folder, data, source.fingerprint);
  return data;
}

/** Undefined or an error if the file is damaged or out of date. */
async function read(file: string, fingerprint: string): Promise<Dataset | undefined> {
  const handle = await open(file);
  try {
    const hash = createHash('sha256');
    const prefix = await readBytes(handle, PREFIX, hash);
    if (prefix.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined;
    const length = prefix.readUInt32LE(MAGIC.length);
    if (length > (await handle.stat()).size) return undefined;
    const header: Header = JSON.parse((await readBytes(handle, length, hash)).toString());
    if (header.version !== VERSION || header.fingerprint !== fingerprint) return undefined;

    const { version: _, fingerprint: __, labelled, sizes, ...description } = header;
    const { count, side, channels } = header;
    const pixels = await readBytes(handle, count * side * side * channels, hash);
    const labels = await readBytes(handle, labelled ? count : 0, hash);
    const splits: Uint32Array[] = [];
    for (const size of sizes) splits.push(toIndices(await readBytes(handle, 4 * size, hash)));
    const digest = await readBytes(handle, DIGEST_BYTES);
    if (!digest.equals(hash.digest())) return undefined;

    const [train, validation, test] = splits;
    return {
      ...description,
      pixels: plain(pixels),
      ...(labelled ? { labels: plain(labels) } : {}),
      splits: { train, validation, test },
    };
  } finally {
    await handle.close();
  }
}

async function write(
  file: string,
  folder: string,
  data: Dataset,
  fingerprint: string,
): Promise<void> {
  const { pixels, labels, splits, ...description } = data;
  const parts = [splits.train, splits.validation, splits.test];
  const [train, validation, test] = parts.map((part) => part.length);
  const header: Header = {
    ...description,
    version: VERSION,
    fingerprint,
    labelled: labels !== undefined,
    sizes: [train, validation, test],
  };
  const text = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(PREFIX);
  prefix.write(MAGIC, 'latin1');
  prefix.writeUInt32LE(text.length, MAGIC.length);

  const unfinished = `${file}.${randomUUID()}.tmp`;
  try {
    await mkdir(folder, { recursive: true });
    const handle = await open(unfinished, 'w');
    try {
      const hash = createHash('sha256');
      await writeBytes(handle, prefix, hash);
      await writeBytes(handle, text, hash);
      await writeBytes(handle, pixels, hash);
      await writeBytes(handle, labels ?? new Uint8Array(0), hash);
      for (const part of parts) await writeBytes(handle, fromIndices(part), hash);
      await writeBytes(handle, hash.digest());
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => {});
    throw new DatasetError(
      'unwritable-cache',
      folder,
      `the built set cannot be stored there (${ioCode(error)})`,
      'free disk space, allow writing, or choose another cache folder',
    );
  }
}

/**
 * Reads the next bytes in chunks, because one call is limited to 2 GiB.
 *
 * @throws Error the file is too short
 */
export async function readBytes(handle: FileHandle, length: number, hash?: Hash): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let offset = 0; offset < length; ) {
    const { bytesRead } = await handle.read(bytes, offset, Math.min(CHUNK, length - offset));
    if (bytesRead === 0) throw new Error('the file is shorter than expected');
    hash?.update(bytes.subarray(offset, offset + bytesRead));
    offset += bytesRead;
  }
  return bytes;
}

async function writeBytes(handle: FileHandle, bytes: Uint8Array, hash?: Hash): Promise<void> {
  for (let offset = 0; offset < bytes.length; ) {
    const chunk = bytes.subarray(offset, offset + CHUNK);
    const { bytesWritten } = await handle.write(chunk);
    hash?.update(chunk.subarray(0, bytesWritten));
    offset += bytesWritten;
  }
}

/** The bytes of a Buffer as a plain Uint8Array, as they were stored. */
function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function toIndices(bytes: Buffer): Uint32Array {
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(4 * i));
}

function fromIndices(indices: Uint32Array): Buffer {
  const bytes = Buffer.alloc(4 * indices.length);
  indices.forEach((index, i) => {
    bytes.writeUInt32LE(index, 4 * i);
  });
  return bytes;
}
