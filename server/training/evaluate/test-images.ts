/** Loads the images that a checkpoint is evaluated on. */

import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Card } from '../../vnca/card.ts';
import { imageChannels } from '../../vnca/readout.ts';
import { readConfig } from '../config.ts';
import type { DatasetConfig } from '../data/config.ts';
import { type Dataset, gatherImages, SPLITS } from '../data/dataset.ts';
import { loadDataset } from '../data/load-dataset.ts';
import { TrainingError } from '../errors.ts';
import { someOf } from '../run/run-state.ts';
import type { Images } from './bounds.ts';

/** Images to evaluate on, with their source. */
export interface TestImages extends Images {
  /** Name of the set. */
  readonly set: string;
  readonly split: 'test' | 'validation' | 'train';
  /** Whether the checkpoint was trained on these images. */
  readonly trained: boolean;
  /** Number of images in the whole split. */
  readonly of: number;
  /** Classes of the images, if the set has any. */
  readonly labels?: Uint8Array;
  /**
   * Images of the gallery's entries, in the order of the gallery. Absent if the gallery was made
   * from another set.
   */
  readonly gallery?: Images;
  /** Emoji of kinds that no gallery model is trained on, or the reason why there are none. */
  readonly unseen: Images | TrainingError;
}

/**
 * Loads images to evaluate on, preferably images that were not trained on.
 *
 * @param wanted file of a training configuration, or its `data` as JSON. If absent, the
 * configuration named in the card
 * @param chosen.limit maximum number of images, evenly chosen, or 0 for all
 * @param chosen.split if absent, the first of test, validation and train that has images
 * @throws TrainingError no-data, unfit-data, and errors of the set's loader
 */
export async function loadImages(
  card: Card,
  wanted: string | undefined,
  chosen: Parameters<typeof choose>[1],
): Promise<TestImages> {
  const { config, base, trainOnValidation = false } = await findData(card, wanted);
  const data = await loadDataset(config, base);
  const channels = imageChannels(card.readout);
  if (data.side !== card.side || data.channels !== channels) {
    const found = `set "${data.name}" has images of ${data.side}×${data.side}×${data.channels}`;
    const what = `${found}, but the checkpoint draws ${card.side}×${card.side}×${channels}`;
    throw new TrainingError('unfit-data', what);
  }
  const judged = choose(data, chosen);
  // The gallery's images are the first images of the training split, because training makes the
  // gallery from these.
  const first = data.splits.train.subarray(0, card.gallery.length);
  const isOfGallery = card.gallery.every(({ name }, i) => data.entries[first[i]]?.name === name);
  return {
    ...judged,
    ...(isOfGallery &&
      first.length > 0 && { gallery: { pixels: gatherImages(data, first), count: first.length } }),
    unseen: await loadUnseen(card, config, chosen.limit),
    trained: judged.split === 'train' || (trainOnValidation && judged.split === 'validation'),
  };
}

async function loadUnseen(
  { side, readout }: Card,
  config: DatasetConfig,
  limit: number,
): Promise<Images | TrainingError> {
  if (readout.kind !== 'rgba-premultiplied' || (side !== 32 && side !== 64)) {
    return new TrainingError(
      'unfit-data',
      'the pictures are RGBA of 32×32 or 64×64, but the checkpoint is not',
    );
  }
  if (config.kind === 'emoji' && (config.set === 'broad' || config.set === 'unseen')) {
    return new TrainingError('unfit-data', `the set "${config.set}" contains these pictures`);
  }
  const margin = ('margin' in config ? config.margin : undefined) ?? 2;
  try {
    const data = await loadDataset({ kind: 'emoji', set: 'unseen', side, margin });
    const chosen = someOf(data.count, limit);
    return { pixels: gatherImages(data, chosen), count: chosen.length };
  } catch (error) {
    if (error instanceof TrainingError) return error;
    throw error;
  }
}

/** Chooses images evenly from a split. @throws TrainingError unfit-data: the split has no images */
export function choose(
  data: Dataset,
  { limit, split: named }: { readonly limit: number; readonly split?: TestImages['split'] },
): Omit<TestImages, 'trained' | 'gallery' | 'unseen'> {
  const split = named ?? SPLITS.toReversed().find((name) => data.splits[name].length > 0)!;
  const indices = data.splits[split];
  if (indices.length === 0) {
    throw new TrainingError('unfit-data', `set "${data.name}" has no split "${split}"`);
  }
  const chosen = Uint32Array.from(someOf(indices.length, limit), (at) => indices[at]);
  const { labels } = data;
  return {
    pixels: gatherImages(data, chosen),
    count: chosen.length,
    set: data.name,
    split,
    of: indices.length,
    ...(labels && { labels: Uint8Array.from(chosen, (i) => labels[i]) }),
  };
}

/**
 * Finds the images that a checkpoint was trained on.
 *
 * @param wanted file of a training configuration, or its `data` as JSON. If absent, the
 * configuration named in the card
 * @throws TrainingError no-data, missing-config, bad-config
 */
export async function findData(
  card: Card,
  wanted: string | undefined,
): Promise<{ config: DatasetConfig; base?: string; trainOnValidation?: boolean }> {
  if (wanted?.trimStart().startsWith('{')) {
    try {
      return { config: JSON.parse(wanted) };
    } catch {
      throw noData('--data starts like JSON but is not valid JSON');
    }
  }
  if (wanted === undefined && card.training.command?.includes('--images')) {
    throw noData("the checkpoint was trained on a user's own images; name them with --data");
  }
  const file = wanted ?? /(\S+\.json)\b/.exec(card.training.command ?? '')?.[1];
  if (file === undefined) {
    throw noData('the card names no training configuration; give one with --data');
  }
  if (!existsSync(file)) throw noData(`${file} cannot be read; name the images with --data`);
  const { data, trainOnValidation } = await readConfig(file);
  return { config: data, base: dirname(resolve(file)), trainOnValidation };
}

const noData = (what: string): TrainingError => new TrainingError('no-data', what);
