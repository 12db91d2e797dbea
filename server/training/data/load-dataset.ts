/**
 * Loads the configured training set, from the cache if the cached file still matches its source.
 *
 * The cache has one file for each set. A file contains, in this order, the SHA-256 of the rest of
 * the file, the length of the head, the head (the set without its pixels, as serialised by V8), and
 * the pixels. Pixels are stored apart because V8 serialises less than 4 GiB. A set is rebuilt if
 * its file is incomplete, damaged, or from another version or source.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import { readIfThere, replaceFile } from '../run/large-files.ts';
import {
  type ConfigOf,
  type DatasetConfig,
  type FullConfig,
  parseDatasetConfig,
} from './config.ts';
import { type Dataset, DatasetError, type DatasetSource, hashBytes, ioCode } from './dataset.ts';
import { openEmoji } from './emoji.ts';
import { openCeleba } from './faces.ts';
import { openFolder } from './folder.ts';
import { openMnist } from './mnist.ts';

const CACHE = fileURLToPath(new URL('../../../.cache/training', import.meta.url));
/** Raise this version whenever a loader builds a different set from the same source. */
const VERSION = 1;
const DIGEST_BYTES = 32;
/** Size of the field that stores the head's length, in bytes. */
const LENGTH_BYTES = 4;

const OPEN: {
  readonly [K in FullConfig['kind']]: (
    config: ConfigOf<K>,
  ) => DatasetSource | Promise<DatasetSource>;
} = {
  mnist: openMnist,
  emoji: openEmoji,
  celeba: openCeleba,
  folder: openFolder,
};

/**
 * Loads a training set.
 *
 * @param options.baseFolder folder that relative folders in `config` start from. If absent, the
 * working directory
 * @param options.cacheFolder folder of the cache. If absent, `.cache/training` at the root of the
 * repository
 * @throws DatasetError
 */
export async function loadDataset(
  config: DatasetConfig,
  {
    baseFolder = process.cwd(),
    cacheFolder = CACHE,
  }: {
    readonly baseFolder?: string | undefined;
    readonly cacheFolder?: string;
  } = {},
): Promise<Dataset> {
  const parsed = parseDatasetConfig(config);
  const full =
    'folder' in parsed ? { ...parsed, folder: resolve(baseFolder, parsed.folder) } : parsed;
  const open = OPEN[full.kind] as (config: FullConfig) => DatasetSource | Promise<DatasetSource>;
  const { name, fingerprint, build } = await open(full);
  // Distinguishes sets that have the same name.
  const id = createHash('sha256').update(JSON.stringify(full)).digest('hex').slice(0, 12);
  const file = join(cacheFolder, `${name}-${id}.bin`);
  const stored = await read(file, fingerprint).catch(() => undefined);
  if (stored) return stored;
  const data = await build();
  await write(cacheFolder, file, fingerprint, data);
  return data;
}

/**
 * Reads a set from the cache. Returns undefined or throws if the file is missing, damaged or out of
 * date.
 */
async function read(file: string, wanted: string): Promise<Dataset | undefined> {
  const bytes = await readIfThere(file);
  if (!bytes) return undefined;
  const body = bytes.subarray(DIGEST_BYTES);
  if (!digestOf([body]).equals(bytes.subarray(0, DIGEST_BYTES))) return undefined;
  const end = LENGTH_BYTES + body.readUInt32LE();
  const { version, fingerprint, data } = deserialize(body.subarray(LENGTH_BYTES, end));
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
  try {
    await mkdir(folder, { recursive: true });
    const head = serialize({ version: VERSION, fingerprint, data });
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32LE(head.length);
    const parts = [length, head, pixels];
    await replaceFile(file, [digestOf(parts), ...parts], `${file}.${randomUUID()}.tmp`);
  } catch (error) {
    const what = `the prepared images cannot be stored there (${ioCode(error)})`;
    const next = 'free disk space, allow writing to the folder, or choose another cache folder';
    throw new DatasetError('unwritable-cache', folder, what, next);
  }
}

const digestOf = (parts: readonly Uint8Array[]): Buffer =>
  parts.reduce((hash, part) => hashBytes(hash, part), createHash('sha256')).digest();
