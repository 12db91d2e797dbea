/** Training sets: images of one size in memory, read from packages or folders, and kept in a cache. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GALLERY_KINDS } from '../../vnca/card.ts';
import { openAngband } from './angband.ts';
import { cached } from './cache.ts';
import { openCeleba } from './celeba.ts';
import { type DatasetConfig, type FullConfig, parseDatasetConfig } from './config.ts';
import { openEmoji } from './emoji.ts';
import { openFolder } from './folder.ts';
import { openMnist } from './mnist.ts';

export { type DatasetConfig, datasetConfig } from './config.ts';
export { DatasetError, type DatasetReason } from './errors.ts';
export { gatherImages } from './images.ts';

export interface Split {
  readonly name: 'train' | 'validation' | 'test';
  /** Indices into the set, ascending. */
  readonly indices: Uint32Array;
}

export interface Entry {
  /** For people to read; not always unique. */
  readonly name: string;
  readonly kind: (typeof GALLERY_KINDS)[number];
}

/** Bytes hashed at once. */
const DIGEST_PART = 2 ** 26;

export interface Dataset {
  /** For example `noto-organisms`. */
  readonly name: string;
  readonly side: number;
  /** 1: ink; 3: RGB; 4: premultiplied RGBA. */
  readonly channels: 1 | 3 | 4;
  readonly count: number;
  /** [count, side, side, channels] row-major, 0…255; binarised sets hold 0 or 255. */
  readonly pixels: Uint8Array;
  /** One for each image. */
  readonly entries: readonly Entry[];
  /** The class of each image, where the set has classes: digits 0…9. */
  readonly labels?: Uint8Array;
  /** Together all images, each once. */
  readonly splits: Readonly<Record<Split['name'], Split['indices']>>;
  readonly source: string;
  readonly licence: string;
  readonly description: string;
}

/** Called while a set is built: so many images of so many are done. Not called when the cache has it. */
export type Progress = (done: number, total: number) => void;

/** A set that is known, and not yet built. */
export interface Opened {
  /** The cache file's name starts with it. */
  readonly name: string;
  /** Changes whenever what would be built changes. */
  readonly fingerprint: string;
  build(onProgress: Progress): Promise<Dataset>;
}

const CACHE = fileURLToPath(new URL('../../../.cache/training', import.meta.url));

/**
 * Loads a training set, from the cache where that still fits its source.
 *
 * @param options.cacheFolder default: `.cache/training` at the root of the repository
 * @param options.baseFolder where relative folders in `config` start; default: the working directory
 * @throws DatasetError
 */
export async function loadDataset(
  config: DatasetConfig,
  options: { cacheFolder?: string; baseFolder?: string; onProgress?: Progress } = {},
): Promise<Dataset> {
  const base = options.baseFolder ?? process.cwd();
  const parsed = parseDatasetConfig(config);
  const full =
    'folder' in parsed && parsed.folder !== undefined
      ? { ...parsed, folder: resolve(base, parsed.folder) }
      : parsed;
  const opened = await open(full);
  return cached(opened, full, options.cacheFolder ?? CACHE, options.onProgress ?? (() => {}));
}

async function open(config: FullConfig): Promise<Opened> {
  switch (config.kind) {
    case 'mnist':
      return openMnist(config);
    case 'emoji':
      return openEmoji(config);
    case 'angband':
      return openAngband(config);
    case 'celeba':
      return openCeleba(config);
    case 'folder':
      return openFolder(config);
  }
}

/** SHA-256 of the pixels and of how they are split. In parts: a set may be larger than can be hashed at once. */
export function imagesDigest({ pixels, splits }: Pick<Dataset, 'pixels' | 'splits'>): string {
  const hash = createHash('sha256');
  for (let at = 0; at < pixels.length; at += DIGEST_PART) {
    hash.update(pixels.subarray(at, at + DIGEST_PART));
  }
  for (const split of [splits.train, splits.validation, splits.test]) {
    hash.update(new Uint8Array(split.buffer, split.byteOffset, split.byteLength));
    hash.update(';');
  }
  return hash.digest('hex');
}
