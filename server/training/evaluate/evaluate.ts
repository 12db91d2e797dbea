/**
 * Loads the images to evaluate on, and measures all figures of a checkpoint. Start reading at
 * `evaluate`.
 */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createRandom, hashText, type Random } from '../../../shared/random.ts';
import type { Compute } from '../../autodiff/compute.ts';
import type { Engine } from '../../engine/engine.ts';
import { countParameters, macPerCellStep } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { imageChannels } from '../../vnca/readout.ts';
import { readConfig } from '../config.ts';
import type { DatasetConfig } from '../data/config.ts';
import { type Dataset, gatherImages, SPLITS, type SplitName } from '../data/dataset.ts';
import { loadDataset } from '../data/load-dataset.ts';
import { TrainingError } from '../errors.ts';
import { someOf } from '../run/run-state.ts';
import type { Measure } from '../terminal.ts';
import { measureChimeras } from './chimeras.ts';
import { EvaluationBatch, type Tools } from './evaluation-batch.ts';
import { bitsPerDim, type Images, measureImages, type TestImages } from './images.ts';
import type { Options } from './options.ts';
import { measureOrganisms, NO_ORGANISMS } from './stability.ts';
import { measureThrows, throwLatents } from './throws.ts';

export type Evaluation = Awaited<ReturnType<typeof evaluate>>;
/** Measured figures of a checkpoint, as printed and as stored in the checkpoint's card. */
export type Figures = Evaluation['figures'];

/**
 * Measures the figures of a checkpoint. Figures that cannot be measured are null; `figures.notes`
 * says why.
 *
 * @param judged images to evaluate on, or an error that says why there are no images
 * @param wanted.chimeras number of chimeras, and the engine that steps them; if absent, chimeras
 *   are not measured
 * @returns `figures`: nats are per image, and errors are mean squared errors of pictures with
 *   values 0…1; `grown`: the gallery's organisms at the end of growth
 */
export async function evaluate(
  compute: Compute,
  model: Model,
  judged: TestImages | TrainingError,
  wanted: Pick<Options, 'samples' | 'organisms' | 'steps' | 'throws' | 'seed'> & {
    readonly chimeras?: { readonly count: number; readonly engine: Engine } | undefined;
  },
  measure: Measure,
) {
  const { card } = model;
  const random = (what: string): Random => createRandom(hashText(`${wanted.seed} ${what}`));
  const batch = new EvaluationBatch(compute, model, wanted.seed);
  const notes: string[] = [];
  const tools: Tools = { compute, batch, measure, random, notes };
  const images = await measureImages(model, judged, wanted.samples, tools);
  const gallery = judged instanceof TrainingError ? undefined : judged.gallery;
  const isDecoder = card.update.kind === 'decoder';
  if (isDecoder) {
    notes.push(
      'stability, healing and random organisms were not measured, because the model is a decoder, which has no cells',
    );
  }
  const organisms = isDecoder
    ? NO_ORGANISMS
    : await measureOrganisms(model, gallery, wanted, tools);
  if (wanted.throws === 0) {
    notes.push(
      'organisms from random seeds were not measured, because --throws (the number of these organisms) is 0',
    );
  }
  const throws =
    isDecoder || wanted.throws === 0
      ? null
      : await measure('throws', () =>
          measureThrows(tools, throwLatents(model, wanted.throws, random('throws')), gallery),
        );
  const { chimeras } = wanted;
  if (!chimeras) {
    notes.push(
      'chimeras were not measured, because --chimeras is 0, the gallery is empty, or the cells do not read the numbers of a creature (latent) in every step',
    );
  }
  const grafted =
    chimeras &&
    (await measure('chimeras', () => measureChimeras(chimeras, model, random('chimeras'))));
  await batch.dispose();
  const figures = {
    /** Evidence lower bound, in nats per image; null if there is no encoder or no images. */
    elbo: images?.bounds.elbo ?? null,
    iwae: {
      samples: wanted.samples,
      nats: images?.bounds.iwae ?? null,
      bitsPerDim: images ? bitsPerDim(card, images.bounds.iwae) : null,
    },
    /**
     * Mean squared differences between grown organisms' pictures and their target images. `mse`:
     * each organism grows from the encoder's mean latent for an evaluated image. `gallery`:
     * organisms grow from the gallery's latents.
     */
    grown: { mse: images?.mse ?? null, gallery: organisms.mse },
    macPerCellStep: macPerCellStep(card),
    parameters: countParameters(card),
    likelihood: images && {
      images: images.count,
      reconstruction: images.bounds.reconstruction,
      divergence: images.bounds.divergence,
      standardError: images.bounds.standardError,
    },
    organisms: organisms.grown.count,
    /**
     * Mean squared difference between unseen emoji and the organisms that grow from the encoder's
     * latents of these emoji. No checkpoint of organisms is trained on unseen emoji.
     */
    unseen: images?.unseen ?? null,
    ...organisms.figures,
    /**
     * Sharpness of grown pictures relative to their target images. Below 1 if grown pictures are
     * blurred.
     */
    edges: images?.edges ?? null,
    throws,
    /** Figures of chimeras made of random gallery creatures; null if not measured. */
    chimeras: grafted ?? null,
    seed: wanted.seed,
    device: compute.device,
    /** Remarks for readers of the figures, such as why a figure is null. */
    notes,
  };
  let areFinite = true;
  // Round all figures to five digits. `JSON.stringify` replaces NaN and ±∞ with null.
  const text = JSON.stringify(figures, (_, value) => {
    if (typeof value !== 'number' || Number.isInteger(value)) return value;
    areFinite &&= Number.isFinite(value);
    return Number(value.toPrecision(5));
  });
  const rounded = JSON.parse(text) as typeof figures;
  if (!areFinite) rounded.notes.push('null means that a figure is not a finite number');
  return { figures: rounded, grown: organisms.grown };
}

/**
 * Loads images to evaluate on, by default images on which the checkpoint was not trained.
 *
 * @param wanted path of a training configuration, or a configuration's field `data` as JSON; by
 *   default, the configuration named in the checkpoint's card
 * @param chosen.limit maximum number of images, spread evenly over the split; 0: all images
 * @param chosen.split split of the images; by default, the first of test, validation and train that
 *   has images
 * @throws TrainingError 'no-data' if no images are known; 'unfit-data' if the images do not fit the
 *   checkpoint; and errors of `loadDataset`
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
    const found = `the images of the set "${data.name}" are ${data.side}×${data.side}×${data.channels}`;
    const what = `${found}, but the checkpoint draws ${card.side}×${card.side}×${channels} (width × height × channels)`;
    throw new TrainingError('unfit-data', what);
  }
  const judged = choose(data, chosen);
  // Training makes the gallery from the first images of the training split.
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
    const text =
      'the unseen pictures are 32×32 or 64×64 pixels in RGBA, but the checkpoint draws another format';
    return new TrainingError('unfit-data', text);
  }
  if (config.kind === 'emoji' && (config.set === 'broad' || config.set === 'unseen')) {
    return new TrainingError('unfit-data', `the set "${config.set}" contains the unseen pictures`);
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

/**
 * Chooses images of a split, spread evenly over the split.
 *
 * @param options.limit maximum number of images; 0: all images
 * @param options.split the split; by default, the first of test, validation and train that has
 *   images
 * @throws TrainingError 'unfit-data' if the split has no images
 */
export function choose(
  data: Dataset,
  { limit, split: named }: { readonly limit: number; readonly split?: SplitName | undefined },
): Omit<TestImages, 'trained' | 'gallery' | 'unseen'> {
  const split = named ?? SPLITS.toReversed().find((name) => data.splits[name].length > 0)!;
  const indices = data.splits[split];
  if (indices.length === 0) {
    const text = `the set "${data.name}" has no images in the split "${split}"`;
    throw new TrainingError('unfit-data', text);
  }
  const chosen = Uint32Array.from(someOf(indices.length, limit), (at) => indices[at]);
  return {
    pixels: gatherImages(data, chosen),
    count: chosen.length,
    set: data.name,
    split,
    of: indices.length,
  };
}

/**
 * Finds the data set on which to evaluate a checkpoint. By default, this is the data set on which
 * the checkpoint was trained.
 *
 * @param wanted path of a training configuration, or a configuration's field `data` as JSON; by
 *   default, the configuration named in the checkpoint's card
 * @returns `config`: the field `data`; `base`: folder against which relative paths in `config` are
 *   resolved; `trainOnValidation`: as in the training configuration
 * @throws TrainingError 'no-data' if no data set is known; 'missing-config' if the configuration
 *   cannot be read; 'bad-config' if it is invalid
 */
export async function findData(
  card: Card,
  wanted: string | undefined,
): Promise<{ config: DatasetConfig; base?: string; trainOnValidation?: boolean }> {
  if (wanted?.trimStart().startsWith('{')) {
    try {
      return { config: JSON.parse(wanted) };
    } catch {
      throw noData('the value of --data starts with "{" but is not valid JSON');
    }
  }
  if (wanted === undefined && card.training.command?.includes('--images')) {
    throw noData(
      "the checkpoint was trained on a user's own images. To evaluate it, give a training configuration with --data.",
    );
  }
  const file = wanted ?? /(\S+\.json)\b/.exec(card.training.command ?? '')?.[1];
  if (file === undefined) {
    throw noData(
      'the card names no training configuration. Give a training configuration with --data.',
    );
  }
  if (!existsSync(file))
    throw noData(`${file} cannot be read. Give another training configuration with --data.`);
  const { data, trainOnValidation } = await readConfig(file);
  return { config: data, base: dirname(resolve(file)), trainOnValidation };
}

const noData = (what: string): TrainingError => new TrainingError('no-data', what);
