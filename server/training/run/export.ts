import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Float32Tensor } from '../../../shared/safetensors.ts';
import type { Compute } from '../../autodiff/compute.ts';
import type { Tensors } from '../../autodiff/parameters.ts';
import { updateShapes } from '../../vnca/architecture.ts';
import { CARD_VERSION, type Card, modelFields, parseCard } from '../../vnca/card.ts';
import {
  CARD_FILE,
  identityOf,
  MODEL_FILE,
  type Model,
  PAINTER_FILE,
  writeSafetensors,
} from '../../vnca/checkpoint.ts';
import { GALLERY_FILE, PAINTED_GALLERY_FILE } from '../../vnca/gallery.ts';
import { MAP_FILE } from '../../vnca/gallery-map.ts';
import { RELATIVES_FILE } from '../../vnca/relatives.ts';
import type { TrainingConfig } from '../config.ts';
import { type Dataset, gatherImages } from '../data/dataset.ts';
import { drawGallery } from '../gallery/draw-gallery.ts';
import { openPosteriors } from '../model/networks.ts';
import { readIfThere, replaceFiles } from './large-files.ts';
import { LATENTS, OFFSETS, trainedShapes } from './run-state.ts';

/** The weights of a training run, with the run's configuration and images. */
export interface TrainedRule {
  readonly config: TrainingConfig;
  readonly data: Dataset;
  /** Tensors `update.*` and `encoder.*`, and the gallery's offsets if they are trained. */
  readonly weights: Tensors;
}

/**
 * Builds a checkpoint in memory. The first training images become its gallery. A gallery image's
 * latent is the mean that the encoder computes, plus the image's trained offset, if any. If the run
 * trains only the encoder, the gallery keeps the latents of the checkpoint with which the run
 * started.
 *
 * @param training notes about the training for the checkpoint's card, such as the command
 */
export async function trainedModel(
  compute: Compute,
  { config, data, weights }: TrainedRule,
  training: Record<string, string> = {},
): Promise<Model> {
  const chosen = data.splits.train.subarray(0, config.gallery);
  const { latentSize } = config;
  const fields = Object.entries(config).filter(([key]) => key in modelFields || key === 'encoder');
  const card = parseCard(
    {
      version: CARD_VERSION,
      ...Object.fromEntries(fields),
      gallery: Array.from(chosen, (i) => data.entries[i]),
      data: { set: data.description, licence: data.licence, source: data.source },
      training,
      figures: {},
    },
    CARD_FILE,
  );
  const tensors = new Map<string, Float32Tensor>();
  for (const name of new Set([...trainedShapes(config).keys(), ...updateShapes(config).keys()])) {
    if (name !== OFFSETS) tensors.set(name, weights.get(name)!);
  }
  let latents = weights.get(LATENTS);
  if (!latents) {
    const posteriors = await openPosteriors(compute, { card, tensors });
    const { mean } = await posteriors.encode(gatherImages(data, chosen), chosen.length);
    await posteriors.dispose();
    const offsets = weights.get(OFFSETS)?.data;
    for (let i = 0; offsets && i < mean.length; i++) mean[i] += offsets[i];
    latents = { shape: [chosen.length, latentSize], data: mean };
  }
  tensors.set(LATENTS, latents);
  return identified({ card, tensors });
}

/**
 * Returns a copy of a model. The copy's card contains the model's identity, a hash of its weights
 * and latents (see `identityOf`).
 */
export const identified = (model: Model): Model => ({
  ...model,
  card: { ...model.card, identity: identityOf(model) },
});

/** Files that other commands derive from a checkpoint's weights. */
const DERIVED_FILES = [
  ...[RELATIVES_FILE, PAINTER_FILE, PAINTED_GALLERY_FILE, MAP_FILE, 'map.png', 'wounds.png'],
  ...['samples.png', 'growth.png', 'heal.png', 'interpolation.png'],
];

/**
 * Writes a checkpoint's card, weights and gallery picture. If a file cannot be written, existing
 * files stay unchanged.
 *
 * If the folder contains a checkpoint with other weights, removes files derived from those weights,
 * such as the painter. If the weights in the folder are the same, copies the fields `painter` and
 * `figures` from the old card to the new card.
 *
 * @param say prints the names of removed files
 */
export async function writeCheckpoint(
  folder: string,
  model: Model,
  say: (line: string) => void = () => {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const before = await cardIn(folder);
  const isSame = before?.identity !== undefined && before.identity === model.card.identity;
  const { painter: _, figures, ...rest } = model.card;
  const { painter, figures: measured } = isSame ? before : {};
  const card = {
    ...{ ...rest, ...(painter && { painter }) },
    figures: measured ?? figures,
  };
  const files = new Map([[join(folder, MODEL_FILE), [writeSafetensors(model.tensors)]]]);
  // A decoder needs no gallery picture, because rooms do not accept decoders.
  if (card.update.kind !== 'decoder') {
    files.set(join(folder, GALLERY_FILE), [await drawGallery(model)]);
  }
  files.set(join(folder, CARD_FILE), [Buffer.from(`${JSON.stringify(card, null, 2)}\n`)]);
  // Write the checkpoint's card last, because its identity must match the weights that are in the
  // folder.
  await replaceFiles(files, async () => {
    if (!before || isSame) return;
    const there = new Set(await readdir(folder));
    const removed = DERIVED_FILES.filter((name) => there.has(name));
    for (const name of removed) await rm(join(folder, name));
    if (removed.length > 0)
      say(`removed files that were made with the previous weights: ${removed.join(', ')}`);
  });
}

/**
 * Reads a checkpoint's card without validating it, because the card may have another version.
 *
 * @returns undefined if the folder has no card; an empty object if the card is not JSON
 */
async function cardIn(folder: string): Promise<Partial<Card> | undefined> {
  const text = await readIfThere(join(folder, CARD_FILE));
  try {
    return text && (JSON.parse(text.toString()) ?? {});
  } catch {
    return {};
  }
}
