/**
 * Measures figures that involve images: lower bounds on the likelihood, and reconstruction errors
 * of test images and unseen pictures. Start reading at `measureImages`.
 */
import type { Random } from '../../../shared/random.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { imageChannels } from '../../vnca/readout.ts';
import type { SplitName } from '../data/dataset.ts';
import { TrainingError } from '../errors.ts';
import { openPosteriors, type Posteriors } from '../model/networks.ts';
import { differences, edgesOf, mean, picturesOf } from './compare-pictures.ts';
import { type EvaluationBatch, likelihoodOfCard, sigmaOf, type Tools } from './evaluation-batch.ts';

/** Images to evaluate on. */
export interface Images {
  /** [N, S, S, c], 0…1 */
  readonly pixels: Float32Array;
  readonly count: number;
}

/** Images to evaluate on, with information about their source. */
export interface TestImages extends Images {
  readonly set: string;
  readonly split: SplitName;
  /** Whether the checkpoint was trained on these images. */
  readonly trained: boolean;
  /** Number of images in the split from which these images were chosen. */
  readonly of: number;
  /**
   * The checkpoint's gallery images, in the gallery's order. Absent if the gallery was made from
   * another data set.
   */
  readonly gallery?: Images;
  /**
   * Emoji on which no checkpoint of organisms is trained (see `isOfUnseenKind`), or an error that
   * says why they cannot be used.
   */
  readonly unseen: Images | TrainingError;
}

/**
 * Measures the likelihood and the reconstruction error of images.
 *
 * @param samples number of latents to sample per image, for the importance-weighted bound
 * @returns the figures and `means` ([N, Z], the encoder's mean latent of each image); null if there
 *   is no encoder or there are no images, and a note then says so
 */
export async function measureImages(
  model: Model,
  judged: TestImages | TrainingError,
  samples: number,
  { compute, batch, measure, random, notes }: Tools,
) {
  const { card } = model;
  let posteriors: Posteriors;
  try {
    posteriors = await openPosteriors(compute, model);
    if (judged instanceof TrainingError) throw judged;
  } catch (error) {
    if (!(error instanceof TrainingError)) throw error;
    notes.push(`likelihood and other figures of images were not measured: ${error.message}`);
    return null;
  }
  const { pixels, count, unseen } = judged;
  const text = `likelihood was measured on ${count} of the ${judged.of} ${judged.split} images of the set "${judged.set}"`;
  notes.push(text);
  if (judged.trained) notes.push('the measured images were also used in training');
  if (card.readout.kind === 'rgba-premultiplied') {
    const text = `likelihoods in nats are logarithms of probability densities of RGBA values with Gaussian noise (standard deviation ${sigmaOf(card)}), not of probabilities, so bits per dimension are not given`;
    notes.push(text);
  }
  const bounds = await measure('likelihood', () =>
    measureBounds(batch, posteriors, judged, samples, (image) => random(`posterior ${image}`)),
  );
  const reconstruct = async (what: string, images: Images) => {
    const { mean: means } = await posteriors.encode(images.pixels, images.count);
    const pictures = picturesOf(card, await measure(what, () => batch.grow(means)));
    return {
      means,
      pictures,
      count: images.count,
      mse: mean(differences(pictures, images.pixels, images.count)),
    };
  };
  const { means, pictures, mse } = await reconstruct('reconstruction', { pixels, count });
  const edges = [pictures, pixels].map((of) => edgesOf(of, card.side, imageChannels(card.readout)));
  if (unseen instanceof TrainingError)
    notes.push(`unseen pictures were not measured: ${unseen.message}`);
  const ofUnseen =
    unseen instanceof TrainingError ? null : await reconstruct('unseen pictures', unseen);
  await posteriors.dispose();
  return {
    ...{ bounds, mse, count, means },
    edges: edges[0] / edges[1],
    unseen: ofUnseen && { mse: ofUnseen.mse, images: ofUnseen.count },
  };
}

/**
 * Computes two lower bounds on log p(x) from N samples zᵢ of q(z|x).
 *
 * @param logWeights log p(x|zᵢ) + log p(zᵢ) − log q(zᵢ|x) of each sample
 * @returns `elbo`: the mean of the log-weights, an unbiased estimate of the evidence lower bound;
 *   `iwae`: the logsumexp of the log-weights minus log N, which estimates the importance-weighted
 *   bound (Burda et al. 2016)
 */
export function boundsOf(logWeights: ArrayLike<number>): { elbo: number; iwae: number } {
  const weights = Array.from(logWeights);
  const top = Math.max(...weights);
  const sum = weights.reduce((a, w) => a + Math.exp(w - top), 0);
  return {
    elbo: weights.reduce((a, w) => a + w, 0) / weights.length,
    iwae: top + Math.log(sum) - Math.log(weights.length),
  };
}

/** Figures of a single image, in nats. */
export type OfImage = readonly [elbo: number, iwae: number, reconstruction: number];

/** Number of samples per call, large enough to keep all workers busy. */
const SAMPLES_PER_CALL = 1024;

/**
 * Measures lower bounds on log p(image), averaged over all images. For a Gaussian read-out, the
 * bounds include the constant term of the density.
 *
 * @param samples number of latents to sample from the encoder per image
 * @param random creates the random generator for the image with a given index
 */
export async function measureBounds(
  batch: EvaluationBatch,
  posteriors: Posteriors,
  { pixels, count }: Images,
  samples: number,
  random: (image: number) => Random,
) {
  const z = batch.card.latentSize;
  const { mean, logSigma } = await posteriors.encode(pixels, count);
  const constant = densityConstant(batch.card);
  const size = pixels.length / count;
  const found: OfImage[] = [];
  let divergence = 0;
  const perCall = Math.max(1, Math.floor(SAMPLES_PER_CALL / samples));
  while (found.length < count) {
    const first = found.length;
    const images = Math.min(perCall, count - first);
    const latents = new Float32Array(images * samples * z);
    const targets = new Float32Array(images * samples * size);
    // log p(z) − log q(z|x) of each sample: ½(ε² − z²) + log σ per dimension, with z = μ + σε. The
    // terms ½ log 2π of the two densities cancel out.
    const priors = new Float64Array(images * samples);
    const generators = Array.from({ length: images }, (_, i) => random(first + i));
    for (let i = 0; i < images * samples; i++) {
      const n = first + Math.floor(i / samples);
      const generator = generators[n - first];
      targets.set(pixels.subarray(n * size, (n + 1) * size), i * size);
      for (let k = 0; k < z; k++) {
        const noise = generator.normal();
        const value = mean[n * z + k] + Math.exp(logSigma[n * z + k]) * noise;
        latents[i * z + k] = value;
        priors[i] += (noise * noise - value * value) / 2 + logSigma[n * z + k];
      }
    }
    const nats = await batch.nats(latents, targets, `images from ${first}`);
    for (let i = 0; i < images; i++) {
      const own = nats.subarray(i * samples, (i + 1) * samples);
      const { elbo, iwae } = boundsOf(own.map((x, j) => priors[i * samples + j] + x + constant));
      found.push([elbo, iwae, own.reduce((a, b) => a + b, 0) / samples + constant]);
    }
  }
  for (let k = 0; k < count * z; k++) {
    divergence += (mean[k] ** 2 + Math.exp(2 * logSigma[k]) - 1) / 2 - logSigma[k];
  }
  const [elbo, iwae, reconstruction] = [0, 1, 2].map(
    (which) => found.reduce((sum, image) => sum + image[which], 0) / count,
  );
  const spread = found.reduce((sum, [, x]) => sum + (x - iwae) ** 2, 0);
  return {
    ...{ elbo, iwae },
    /** Mean log p(x|z), in nats per image. */
    reconstruction,
    /** Mean KL divergence of the encoder's distribution from the prior, in nats per image. */
    divergence: divergence / count,
    /** Standard error of `iwae` (a mean over all images), in nats; 0 if there is only one image. */
    standardError: count > 1 ? Math.sqrt(spread / (count - 1) / count) : 0,
    each: found,
  };
}

/**
 * Returns the constant term of an image's log-likelihood. For a Gaussian read-out, the term is −½
 * log 2πσ² for each value of the image. For other read-outs, the term is 0.
 */
function densityConstant(card: Card): number {
  const likelihood = likelihoodOfCard(card);
  if (likelihood.kind !== 'gaussian') return 0;
  const numbers = card.side ** 2 * likelihood.channels.length;
  return -0.5 * numbers * Math.log(2 * Math.PI * likelihood.sigma ** 2);
}

/** Number of pixels of an MNIST image without padding. */
const MNIST_NUMBERS = 28 * 28;

/**
 * Converts nats per image to bits per dimension. Digits of 28×28 and 32×32 pixels both count as 784
 * dimensions, as in published figures.
 *
 * @returns bits per dimension; null for a Gaussian read-out, which has a continuous density
 */
export function bitsPerDim(card: Card, nats: number): number | null {
  const likelihood = likelihoodOfCard(card);
  if (likelihood.kind === 'gaussian') return null;
  const isMnist = likelihood.kind === 'bernoulli' && (card.side === 28 || card.side === 32);
  const numbers = isMnist ? MNIST_NUMBERS : card.side ** 2 * imageChannels(likelihood);
  return -nats / (Math.LN2 * numbers);
}
