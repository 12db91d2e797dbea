/** Loads the images that a checkpoint is evaluated on. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Card } from '../../vnca/card.ts';
import { imageChannels } from '../../vnca/readout.ts';
import { readConfig } from '../config.ts';
import type { DatasetConfig } from '../data/config.ts';
import { type Dataset, DatasetError, gatherImages, SPLITS } from '../data/dataset.ts';
import { loadDataset } from '../data/load-dataset.ts';
import { evenly } from '../run-state.ts';
import type { Images } from './bounds.ts';
import { EvaluationError } from './errors.ts';

/** Images to evaluate on, and where they come from. */
export interface Judged extends Images {
  /** Name of the set, and the split. */
  readonly set: string;
  readonly split: 'test' | 'validation' | 'train';
  /** Whether the checkpoint was trained on them. */
  readonly trained: boolean;
  /** Number of images in the split. */
  readonly of: number;
  /** Classes, if the set has any. */
  readonly labels?: Uint8Array;
  /** Images of the gallery's entries, in their order; absent: the set is another. */
  readonly gallery?: Images;
  /** Emoji of kinds that no gallery model is trained on, or why there are none to compare. */
  readonly unseen: Images | EvaluationError;
}

/** Which images. */
interface Chosen {
  readonly limit: number;
  readonly split?: Judged['split'];
}

/**
 * Loads images, if possible such that were not trained on.
 *
 * @param wanted file of a training configuration, or its `data` as JSON; default: the configuration
 *   named in the card
 * @param chosen.limit most images, evenly chosen; 0: all
 * @param chosen.split absent: the first of test, validation and train that has images
 * @throws EvaluationError no-data, unfit-data; TrainingError, DatasetError from the loaders
 */
export async function loadImages(
  card: Card,
  wanted: string | undefined,
  { limit, split }: Chosen,
  progress?: (done: number, total: number) => void,
): Promise<Judged> {
  const { config, base, trainOnValidation = false } = await findData(card, wanted);
  const data = await loadDataset(config, {
    ...(base !== undefined && { baseFolder: base }),
    ...(progress && { onProgress: progress }),
  });
  const channels = imageChannels(card.readout);
  if (data.side !== card.side || data.channels !== channels) {
    const found = `set "${data.name}" has images of ${data.side}×${data.side}×${data.channels}`;
    const what = `${found}, but the checkpoint shows ${card.side}×${card.side}×${channels}`;
    throw new EvaluationError('unfit-data', what);
  }
  const judged = choose(data, { limit, ...(split && { split }) });
  const gallery = galleryImages(card, data);
  const unseen = await loadUnseen(card, config, limit);
  return {
    ...judged,
    ...(gallery && { gallery }),
    unseen,
    trained: judged.split === 'train' || (trainOnValidation && judged.split === 'validation'),
  };
}

/** As at the end of training: the gallery has the first images that were trained on. */
function galleryImages({ gallery }: Card, data: Dataset): Images | undefined {
  const chosen = data.splits.train.subarray(0, gallery.length);
  const fits = gallery.every(({ name }, i) => data.entries[chosen[i]]?.name === name);
  return fits && gallery.length > 0
    ? { pixels: gatherImages(data, chosen), count: chosen.length }
    : undefined;
}

async function loadUnseen(
  { side, readout }: Card,
  config: DatasetConfig,
  limit: number,
): Promise<Images | EvaluationError> {
  if (readout.kind !== 'rgba-premultiplied' || (side !== 32 && side !== 64)) {
    return new EvaluationError('unfit-data', 'they are RGBA of 32×32 or 64×64');
  }
  if (config.kind === 'emoji' && (config.set === 'broad' || config.set === 'unseen')) {
    return new EvaluationError('unfit-data', `the set "${config.set}" has them`);
  }
  const margin = ('margin' in config ? config.margin : undefined) ?? 2;
  try {
    const data = await loadDataset({ kind: 'emoji', set: 'unseen', side, margin });
    const count = limit === 0 ? data.count : Math.min(limit, data.count);
    return { pixels: gatherImages(data, evenly(data.count, count)), count };
  } catch (error) {
    if (error instanceof DatasetError) return new EvaluationError('no-data', error.message);
    throw error;
  }
}

/** Chooses images, as in `loadImages`. @throws EvaluationError unfit-data: the split has none */
export function choose(
  data: Dataset,
  { limit, split: named }: Chosen,
): Omit<Judged, 'trained' | 'gallery' | 'unseen'> {
  const split = named ?? SPLITS.toReversed().find((name) => data.splits[name].length > 0)!;
  const indices = data.splits[split];
  if (indices.length === 0) {
    throw new EvaluationError('unfit-data', `set "${data.name}" has no split "${split}"`);
  }
  const count = limit === 0 ? indices.length : Math.min(limit, indices.length);
  const chosen = Uint32Array.from(evenly(indices.length, count), (at) => indices[at]);
  const { labels } = data;
  return {
    pixels: gatherImages(data, chosen),
    count,
    set: data.name,
    split,
    of: indices.length,
    ...(labels && { labels: Uint8Array.from(chosen, (i) => labels[i]) }),
  };
}

/**
 * Finds the images that a checkpoint was trained on.
 *
 * @param wanted as in `loadImages`
 * @throws EvaluationError no-data; TrainingError
 */
export async function findData(
  card: Card,
  wanted: string | undefined,
): Promise<{ config: DatasetConfig; base?: string; trainOnValidation?: boolean }> {
  if (wanted?.trimStart().startsWith('{')) {
    try {
      return { config: JSON.parse(wanted) };
    } catch {
      throw noData('--data starts like JSON, but cannot be parsed');
    }
  }
  if (wanted === undefined && card.training.command?.includes('--images')) {
    throw noData("it was trained on a user's own images; name them with --data");
  }
  const file = wanted ?? /(\S+\.json)\b/.exec(card.training.command ?? '')?.[1];
  if (file === undefined) {
    throw noData('the card names no training configuration; give one with --data');
  }
  if (!existsSync(file)) throw noData(`${file} cannot be read; name the images with --data`);
  const { data, trainOnValidation } = await readConfig(file);
  return { config: data, base: dirname(resolve(file)), trainOnValidation };
}

const noData = (what: string): EvaluationError => new EvaluationError('no-data', what);
