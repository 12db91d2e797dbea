/**
 * Caches built sets, one file each: SHA-256 of what follows; the length of the head; the head, which
 * is the set without its pixels as V8 serialises it; the pixels. V8 serialises less than 4 GiB, and
 * pixels may be more. A set is rebuilt when its file is incomplete, damaged, or from another version
 * or source.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { readIfThere, replaceFile } from '../large-files.ts';
import { type BuildProgress, type Dataset, type DatasetSource, hashBytes } from './dataset.ts';
import { DatasetError, ioCode } from './errors.ts';

/** Raise it whenever a loader builds a different set from the same source. */
const VERSION = 1;
const DIGEST_BYTES = 32;
/** Bytes of the head's length. */
const LENGTH_BYTES = 4;

interface Head {
  readonly version: number;
  readonly fingerprint: string;
  readonly data: Omit<Dataset, 'pixels'>;
}

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
  const { name, fingerprint } = source;
  const id = createHash('sha256').update(JSON.stringify(config)).digest('hex').slice(0, 12);
  const file = join(folder, `${name}-${id}.bin`);
  const stored = await read(file, fingerprint).catch(() => undefined);
  if (stored) return stored;
  const data = await source.build(onProgress);
  await write(folder, file, fingerprint, data);
  return data;
}

/** Undefined, or an error, if there is no file, or it is damaged or out of date. */
async function read(file: string, wanted: string): Promise<Dataset | undefined> {
  const bytes = await readIfThere(file);
  if (!bytes) return undefined;
  const body = bytes.subarray(DIGEST_BYTES);
  if (!digestOf([body]).equals(bytes.subarray(0, DIGEST_BYTES))) return undefined;
  const end = LENGTH_BYTES + body.readUInt32LE();
  const { version, fingerprint, data }: Head = deserialize(body.subarray(LENGTH_BYTES, end));
  if (version !== VERSION || fingerprint !== wanted) return undefined;
  const { buffer, byteOffset, length } = body.subarray(end);
  return { ...data, pixels: new Uint8Array(buffer, byteOffset, length) };
}

async function write(
  folder: string,
  file: string,
  fingerprint: string,
  { pixels, ...data }: Dataset,
): Promise<void> {
  const unfinished = `${file}.${randomUUID()}.tmp`;
  try {
    await mkdir(folder, { recursive: true });
    const head = serialize({ version: VERSION, fingerprint, data } satisfies Head);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32LE(head.length);
    const parts = [length, head, pixels];
    await replaceFile(file, [digestOf(parts), ...parts], unfinished);
  } catch (error) {
    const what = `the built set cannot be stored there (${ioCode(error)})`;
    const next = 'free disk space, allow writing, or choose another cache folder';
    throw new DatasetError('unwritable-cache', folder, what, next);
  }
}

const digestOf = (parts: readonly Uint8Array[]): Buffer =>
  parts.reduce((hash, part) => hashBytes(hash, part), createHash('sha256')).digest();
