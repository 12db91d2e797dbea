/** Loads the data set that a training configuration names. */
import { resolve } from 'node:path';
import {
  type ConfigOf,
  type DatasetConfig,
  type FullConfig,
  parseDatasetConfig,
} from './config.ts';
import type { Dataset } from './dataset.ts';
import { loadEmoji } from './emoji.ts';
import { loadFolder } from './folder.ts';
import { loadMnist } from './mnist.ts';

const LOADERS: {
  readonly [K in FullConfig['kind']]: (config: ConfigOf<K>) => Promise<Dataset>;
} = {
  mnist: loadMnist,
  emoji: loadEmoji,
  folder: loadFolder,
};

/**
 * Loads a data set.
 *
 * @param baseFolder folder against which relative paths in `config` are resolved
 * @throws TrainingError if the configuration is invalid or the images cannot be read
 */
export async function loadDataset(
  config: DatasetConfig,
  baseFolder: string = process.cwd(),
): Promise<Dataset> {
  const parsed = parseDatasetConfig(config);
  const full =
    'folder' in parsed ? { ...parsed, folder: resolve(baseFolder, parsed.folder) } : parsed;
  const load = LOADERS[full.kind] as (config: FullConfig) => Promise<Dataset>;
  return load(full);
}
