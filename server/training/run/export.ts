/** Writes a trained rule as a checkpoint folder. */
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

/** A rule that has been trained so far, with the images of its gallery. */
export interface TrainedRule {
  readonly config: TrainingConfig;
  readonly data: Dataset;
  /** Tensors `update.*`, `encoder.*`, and the gallery's offsets if there are any. */
  readonly weights: Tensors;
}

/**
 * Builds a checkpoint in memory. Its gallery latents are the posterior means of the first training
 * images plus any offsets, or the latents that the run has kept.
 *
 * @param training notes for the checkpoint's card: command, time, device
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

/** Returns a model whose card has the identity of its weights and latents. */
export const identified = (model: Model): Model => ({
  ...model,
  card: { ...model.card, identity: identityOf(model) },
});

/** Files in the folder of a checkpoint that other commands derive from its weights. */
const DERIVED_FILES = [
  ...[RELATIVES_FILE, PAINTER_FILE, PAINTED_GALLERY_FILE, MAP_FILE, 'map.png', 'wounds.png'],
  ...['samples.png', 'growth.png', 'heal.png', 'interpolation.png'],
];

/**
 * Writes card, weights and gallery of a checkpoint. If writing fails, the files in the folder stay.
 * Files derived from other weights are removed, because they would be mistaken for files of these
 * weights. If the folder has the same weights, their painter and figures stay.
 *
 * @param say reports the removed files
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
  // Do not draw the gallery of a decoder: rooms refuse decoders, which cannot be grown step by
  // step.
  if (card.update.kind !== 'decoder') {
    files.set(join(folder, GALLERY_FILE), [await drawGallery(model)]);
  }
  files.set(join(folder, CARD_FILE), [Buffer.from(`${JSON.stringify(card, null, 2)}\n`)]);
  // Write the card last, because its identity vouches for all other files in the folder.
  await replaceFiles(files, async () => {
    if (!before || isSame) return;
    const there = new Set(await readdir(folder));
    const removed = DERIVED_FILES.filter((name) => there.has(name));
    for (const name of removed) await rm(join(folder, name));
    if (removed.length > 0) say(`removed files made with other weights: ${removed.join(', ')}`);
  });
}

/**
 * Reads the card of the checkpoint in a folder. The card may be damaged or of another version.
 * Returns undefined if the folder has no card.
 */
async function cardIn(folder: string): Promise<Partial<Card> | undefined> {
  const text = await readIfThere(join(folder, CARD_FILE));
  try {
    return text && (JSON.parse(text.toString()) ?? {});
  } catch {
    return {};
  }
}
