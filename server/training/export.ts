/** A trained rule as a checkpoint folder. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { updateShapes } from '../vnca/architecture.ts';
import { CARD_VERSION, parseCard } from '../vnca/card.ts';
import { CARD_FILE, GALLERY_FILE, MODEL_FILE, type Model } from '../vnca/checkpoint.ts';
import { fromFloat32, writeSafetensors } from '../vnca/safetensors.ts';
import type { Compute } from './autodiff/compute.ts';
import type { TrainingConfig } from './config.ts';
import { type Dataset, gatherImages } from './data/dataset.ts';
import { drawGallery } from './gallery/draw-gallery.ts';
import { Posteriors } from './posterior.ts';
import { trainedShapes } from './run-state.ts';

const BATCH = 16;

/** Means of the posterior: [indices, Z]. */
export async function encodeMeans(
  compute: Compute,
  config: TrainingConfig,
  data: Dataset,
  indices: Uint32Array,
  weights: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>,
): Promise<Float32Array> {
  const { side, latentSize } = config;
  const { channels } = data;
  const posteriors = await Posteriors.create(
    compute,
    config.encoder,
    { side, channels, latentSize },
    BATCH,
  );
  const parameters = Object.fromEntries(
    [...weights].map(([name, { shape, data }]) => [
      `parameter:${name}`,
      compute.upload(shape, data),
    ]),
  );
  const noise = compute.upload([BATCH, latentSize], new Float32Array(BATCH * latentSize));
  const means = new Float32Array(indices.length * latentSize);
  for (let at = 0; at < indices.length; at += BATCH) {
    const chosen = Uint32Array.from(
      { length: BATCH },
      (_, i) => indices[Math.min(at + i, indices.length - 1)],
    );
    const image = compute.upload([BATCH, side, side, channels], gatherImages(data, chosen));
    const results = await posteriors.forward.run({ ...parameters, image, noise });
    const mean = await compute.read(results.mean);
    means.set(mean.subarray(0, Math.min(BATCH, indices.length - at) * latentSize), at * latentSize);
    compute.free(image, ...Object.values(results));
  }
  compute.free(noise, ...Object.values(parameters));
  await posteriors.dispose();
  return means;
}

/**
 * Puts a checkpoint together in memory.
 *
 * @param weights `update.*` and `encoder.*`
 * @param training prose for the card: commands, time, what was noticed
 */
export async function trainedModel(
  compute: Compute,
  config: TrainingConfig,
  data: Dataset,
  weights: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>,
  training: Record<string, string>,
  figures: Record<string, unknown> = {},
): Promise<Model> {
  const chosen = data.splits.train.subarray(0, config.gallery);
  const means = await encodeMeans(compute, config, data, chosen, weights);
  const { name, title, description, side, channels, latentSize, growth, update, readout } = config;
  const card = parseCard(
    {
      version: CARD_VERSION,
      ...{ name, title, description, side, channels, latentSize, growth, update, readout },
      presence: config.presence,
      ...(config.trustedSteps && { trustedSteps: config.trustedSteps }),
      encoder: config.encoder,
      gallery: Array.from(chosen, (i) => data.entries[i]),
      data: { set: data.description, licence: data.licence, source: data.source },
      training,
      figures,
    },
    CARD_FILE,
  );
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  const kept = [...trainedShapes(config).keys(), ...updateShapes(config).keys()];
  for (const name of new Set(kept)) tensors.set(name, weights.get(name)!);
  tensors.set('gallery.latents', { shape: [chosen.length, latentSize], data: means });
  return { card, tensors };
}

/** Writes card, weights and gallery. */
export async function writeCheckpoint(folder: string, model: Model): Promise<void> {
  await mkdir(folder, { recursive: true });
  const stored = new Map(
    [...model.tensors].map(([name, { shape, data }]) => [name, fromFloat32(shape, data)]),
  );
  await writeFile(join(folder, MODEL_FILE), writeSafetensors(stored));
  await writeFile(join(folder, CARD_FILE), `${JSON.stringify(model.card, null, 2)}\n`);
  await writeFile(join(folder, GALLERY_FILE), await drawGallery(model));
}
