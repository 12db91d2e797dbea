/** Figures of images: likelihood, reconstruction, and pictures that a model has never seen. */
import type { Random } from '../../../shared/random.ts';
import type { Compute } from '../../autodiff/compute.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { imageChannels } from '../../vnca/readout.ts';
import { type Images, KEEP_NOTHING, type Keep, measureBounds } from './bounds.ts';
import { EvaluationError } from './errors.ts';
import { type EvaluationBatch, sigmaOf, workOf } from './evaluation-batch.ts';
import { differences, edgesOf, mean, picturesOf } from './picture.ts';
import { openPosteriors, type Posteriors } from './posteriors.ts';
import type { Judged } from './test-images.ts';

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
