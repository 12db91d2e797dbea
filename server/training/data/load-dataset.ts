/** Opens the configured training set, from the cache where that is still up to date. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cached } from './cache.ts';
import {
  type ConfigOf,
  type DatasetConfig,
  type FullConfig,
  parseDatasetConfig,
} from './config.ts';
import type { BuildProgress, Dataset, DatasetSource } from './dataset.ts';
import { openEmoji } from './emoji.ts';
import { openAngband, openCeleba } from './faces.ts';
import { openFolder } from './folder.ts';
import { openMnist } from './mnist.ts';

const CACHE = fileURLToPath(new URL('../../../.cache/training', import.meta.url));

type Source = DatasetSource | Promise<DatasetSource>;

const OPEN: { readonly [K in FullConfig['kind']]: (config: ConfigOf<K>) => Source } = {
  mnist: openMnist,
  emoji: openEmoji,
  angband: openAngband,
  celeba: openCeleba,
  folder: openFolder,
};

/**
 * Loads a training set, from the cache where that still fits its source.
 *
 * @param options.cacheFolder default: `.cache/training` at the root of the repository
 * @param options.baseFolder where relative folders in `config` start; default: the working
 *   directory
 * @throws DatasetError
 */
export async function loadDataset(
  config: DatasetConfig,
  options: { cacheFolder?: string; baseFolder?: string; onProgress?: BuildProgress } = {},
): Promise<Dataset> {
  const { cacheFolder = CACHE, baseFolder = process.cwd(), onProgress = () => {} } = options;
  const parsed = parseDatasetConfig(config);
  const full =
    'folder' in parsed && parsed.folder !== undefined
      ? { ...parsed, folder: resolve(baseFolder, parsed.folder) }
      : parsed;
  const open = OPEN[full.kind] as (config: FullConfig) => Source;
  return cached(await open(full), full, cacheFolder, onProgress);
}
