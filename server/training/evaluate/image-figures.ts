/** Figures of images: likelihood, reconstruction, and pictures that a model has never seen. */

import { parsePainter } from '../../../shared/painter/net.ts';
import type { Random } from '../../../shared/random.ts';
import type { Compute } from '../../autodiff/compute.ts';
import { type Model, readPainter } from '../../vnca/checkpoint.ts';
import { imageChannels } from '../../vnca/readout.ts';
import { DatasetError } from '../data/dataset.ts';
import { TrainingError } from '../errors.ts';
import { chooseKept, growGallery, KEPT_AGE } from '../painter/grown.ts';
import { measurePainter } from '../painter/measure.ts';
import { loadOriginals } from '../painter/originals.ts';
import { evenly } from '../run-state.ts';
import { type Images, KEEP_NOTHING, type Keep, measureBounds } from './bounds.ts';
import { EvaluationError } from './errors.ts';
import { type EvaluationBatch, sigmaOf, workOf } from './evaluation-batch.ts';
import { differences, edgesOf, mean, picturesOf } from './picture.ts';
import { openPosteriors, type Posteriors } from './posteriors.ts';
import { findData, type Judged } from './test-images.ts';

/** What the measurements of one evaluation share. */
export interface Tools {
  readonly compute: Compute;
  readonly batch: EvaluationBatch;
  /** Reports the progress of a measurement of so much work. */
  readonly measure: <T>(what: string, work: number, run: () => Promise<T>) => Promise<T>;
  readonly random: (what: string) => Random;
  readonly notes: string[];
}

/**
 * Measures likelihood and reconstruction error, with the posterior means, [N, Z]; null without an
 * encoder or images, with a note that says why.
 */
export async function measureImages(
  model: Model,
  judged: Judged | EvaluationError,
  { samples, keep = KEEP_NOTHING }: { readonly samples: number; readonly keep?: Keep },
  { compute, batch, measure, random, notes }: Tools,
) {
  const { card } = model;
  let posteriors: Posteriors;
  try {
    posteriors = await openPosteriors(compute, model);
    if (judged instanceof EvaluationError) throw judged;
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    notes.push(`no likelihood and no other figures of images: ${error.message}`);
    return null;
  }
  const { pixels, count, unseen } = judged;
  notes.push(`likelihood of ${count} of ${judged.of} ${judged.split} images of "${judged.set}"`);
  if (judged.trained)
    notes.push('the set has no images kept apart from training: these were trained on');
  if (card.readout.kind === 'rgba-premultiplied') {
    notes.push(
      `nats are of the density of RGBA with noise of σ ${sigmaOf(card)}, constant included: no bits/dim`,
    );
  }
  const work = workOf((count - keep.known.length) * samples, batch.growthWork);
  const options = { samples, keep, random: (image: number) => random(`posterior ${image}`) };
  const bounds = await measure('likelihood', work, () =>
    measureBounds(batch, posteriors, { pixels, count }, options),
  );
  const reconstruct = async (what: string, images: Images) => {
    const { mean: means } = await posteriors.encode(images.pixels, images.count);
    const growing = workOf(images.count, batch.growthWork);
    const pictures = picturesOf(card, await measure(what, growing, () => batch.grow(means)));
    return {
      means,
      pictures,
      count: images.count,
      mse: mean(differences(pictures, images.pixels, images.count)),
    };
  };
  const { means, pictures, mse } = await reconstruct('reconstruction', { pixels, count });
  const edges = [pictures, pixels].map((of) => edgesOf(of, card.side, imageChannels(card.readout)));
  if (unseen instanceof EvaluationError) notes.push(`no pictures never seen: ${unseen.message}`);
  const ofUnseen =
    unseen instanceof EvaluationError ? null : await reconstruct('unseen pictures', unseen);
  await posteriors.dispose();
  return {
    ...{ bounds, mse, count, means },
    edges: edges[0] / edges[1],
    unseen: ofUnseen && { mse: ofUnseen.mse, images: ofUnseen.count },
  };
}

/** How a painter is kept creatures from, where its card does not say. */
const USUAL = { seed: 1, creatures: 100 };

/** See `painterFigures`. */
export type PainterFigures = Awaited<ReturnType<typeof measurePainter>>;

/** A checkpoint and what it is measured with. */
export interface Painted {
  readonly compute: Compute;
  readonly model: Model;
  /** Of the checkpoint. */
  readonly folder: string;
  /** Images that it was trained on, as in `loadImages`. */
  readonly data?: string;
  /** Most creatures, evenly chosen; 0: all. */
  readonly limit: number;
}

/**
 * Measures a painter.
 *
 * @returns null without one; or why there is nothing to measure it by
 * @throws CheckpointError the painter is not usable
 */
export async function painterFigures({
  compute,
  model,
  folder,
  data,
  limit,
}: Painted): Promise<PainterFigures | EvaluationError | null> {
  const file = await readPainter(folder);
  if (!file) return null;
  const { card } = model;
  const { seed, creatures } = { ...USUAL, ...card.painter?.figures } as typeof USUAL;
  try {
    const { config, base } = await findData(card, data);
    const originals = await loadOriginals(config, base === undefined ? {} : { baseFolder: base });
    const all = chooseKept(card, originals, { seed, kept: creatures });
    if (all.length === 0) {
      return new EvaluationError('no-data', 'no picture of the gallery has a larger original');
    }
    const count = limit === 0 ? all.length : Math.min(limit, all.length);
    const kept = evenly(all.length, count).map((i) => all[i]);
    const entries = kept.map(({ index }) => index);
    const grown = await growGallery(model, entries, [KEPT_AGE]);
    const cells = new Map(grown.map(({ entry, cells: bytes }) => [entry, bytes]));
    const measured = kept.map((original) => ({ original, grown: cells.get(original.index)! }));
    return await measurePainter(compute, parsePainter(file), measured, card.side);
  } catch (error) {
    if (error instanceof EvaluationError) return error;
    if (!(error instanceof TrainingError || error instanceof DatasetError)) throw error;
    return new EvaluationError('no-data', error.message);
  }
}

/**
 * Finds organisms whose own image is the nearest.
 *
 * @param pictures [N, …], 0…1
 * @param own index of the own image of each, [N]
 * @param images [M, …]
 * @param count M
 * @returns [N]
 */
export function areRetrieved(
  pictures: Float32Array,
  own: ArrayLike<number>,
  images: Float32Array,
  count: number,
): boolean[] {
  const size = images.length / count;
  return Array.from({ length: own.length }, (_, n) => {
    const picture = pictures.subarray(n * size, (n + 1) * size);
    const limit = distance(picture, images.subarray(own[n] * size, (own[n] + 1) * size), Infinity);
    for (let m = 0; m < count; m++) {
      if (m === own[n]) continue;
      const other = images.subarray(m * size, (m + 1) * size);
      if (distance(picture, other, limit) < limit) return false;
    }
    return true;
  });
}

/** Sum of squared differences; what exceeds the limit need not be exact. */
function distance(a: Float32Array, b: Float32Array, limit: number): number {
  let sum = 0;
  for (let i = 0; i < a.length && sum < limit; i++) sum += (a[i] - b[i]) ** 2;
  return sum;
}

/** Neighbours that set the radius of a ball, as in the paper. */
const NEIGHBOURS = 3;

/**
 * Compares two sets.
 *
 * @param real features of pictures, [N, size]
 * @param made features of what was generated, [M, size]
 * @returns `precision`: share of the made within the manifold of the real; `recall`: share of the
 *   real within that of the made
 * @throws RangeError one of the sets has no more than three members
 */
export function precisionAndRecall(real: Float32Array, made: Float32Array, size: number) {
  return { precision: covered(made, real, size), recall: covered(real, made, size) };
}

/** Share of `points` within the manifold of `set`. */
function covered(points: Float32Array, set: Float32Array, size: number): number {
  const radii = radiiOf(set, size);
  const count = points.length / size;
  let inside = 0;
  for (let n = 0; n < count; n++) {
    if (radii.some((radius, m) => squaredDistance(points, n, set, m, size) <= radius)) inside++;
  }
  return inside / count;
}

/** Squared distance of each member to its k-th nearest other. */
function radiiOf(set: Float32Array, size: number): Float64Array {
  const count = set.length / size;
  if (count <= NEIGHBOURS) throw new RangeError(`a set of ${count} has no manifold`);
  return Float64Array.from({ length: count }, (_, n) => {
    const distances = Float64Array.from({ length: count }, (_, m) =>
      m === n ? Infinity : squaredDistance(set, n, set, m, size),
    ).sort();
    return distances[NEIGHBOURS - 1];
  });
}

function squaredDistance(
  a: Float32Array,
  n: number,
  b: Float32Array,
  m: number,
  size: number,
): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += (a[n * size + i] - b[m * size + i]) ** 2;
  return sum;
}
