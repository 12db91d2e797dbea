/**
 * Caches built sets, one file each: SHA-256, then the set as V8 serialises it. A set is rebuilt when
 * its file is incomplete, damaged, or from another version or source.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { readIfThere, replaceFile } from '../large-files.ts';
import { type BuildProgress, type Dataset, type DatasetSource, hashBytes } from './dataset.ts';
import { DatasetError, ioCode } from './errors.ts';

/** Raise it whenever a loader builds a different set from the same source. */
const VERSION = 1;
const DIGEST_BYTES = 32;

interface Stored {
  readonly version: number;
  readonly fingerprint: string;
  readonly data: Dataset;
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
  const stored = await read(file).catch(() => undefined);
  if (stored?.version === VERSION && stored.fingerprint === fingerprint) return stored.data;
  const data = await source.build(onProgress);
  await write(folder, file, { version: VERSION, fingerprint, data });
  return data;
}

/** Undefined if there is no file, or it is damaged. */
async function read(file: string): Promise<Stored | undefined> {
  const bytes = await readIfThere(file);
  const body = bytes?.subarray(DIGEST_BYTES);
  const isWhole = body && digestOf(body).equals(bytes!.subarray(0, DIGEST_BYTES));
  return isWhole ? deserialize(body) : undefined;
}

async function write(folder: string, file: string, stored: Stored): Promise<void> {
  const unfinished = `${file}.${randomUUID()}.tmp`;
  try {
    await mkdir(folder, { recursive: true });
    const body = serialize(stored);
    await replaceFile(file, [digestOf(body), body], unfinished);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => {});
    const what = `the built set cannot be stored there (${ioCode(error)})`;
    const next = 'free disk space, allow writing, or choose another cache folder';
    throw new DatasetError('unwritable-cache', folder, what, next);
  }
}

const digestOf = (body: Uint8Array): Buffer => hashBytes(createHash('sha256'), body).digest();
