/** Measures lower bounds of log p(image): the ELBO and the importance-weighted bound (IWAE). */

import type { Random } from '../../../shared/random.ts';
import type { Card } from '../../vnca/card.ts';
import { imageChannels } from '../../vnca/readout.ts';
import type { Posteriors } from '../model/networks.ts';
import { type EvaluationBatch, likelihoodOfCard } from './evaluation-batch.ts';

/**
 * Computes both bounds from the log-weights log p(x|zᵢ) + log p(zᵢ) − log q(zᵢ|x) of samples zᵢ of
 * q. The mean of the log-weights is an unbiased estimate of the ELBO; logsumexp − log N estimates
 * the importance-weighted bound (Burda et al. 2016). For N = 1 the two are equal.
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

/** Figures of one image, in nats. */
export type OfImage = readonly [elbo: number, iwae: number, reconstruction: number];

/** Number of samples per call, of one image or several: enough to keep every worker busy. */
const SAMPLES_PER_CALL = 1024;

/** Images to evaluate on. */
export interface Images {
  /** Shape [N, S, S, c], values 0…1. */
  readonly pixels: Float32Array;
  readonly count: number;
}

/**
 * Measures the bounds of images, averaged over all images. The bounds include the constant of a
 * Gaussian read-out.
 *
 * @param samples posterior samples per image
 * @param random creates the random numbers for the image with a given index
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
    // Prior terms log p(z) − log q(z|x) = ½(ε² − z²) + log σ, because the two terms ½ log 2π
    // cancel.
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
    /** Bounds, in nats per image. */
    ...{ elbo, iwae },
    /** log p(x|z), in nats. */
    reconstruction,
    /** KL(q ‖ p), in nats. */
    divergence: divergence / count,
    /** Standard error of `iwae` over images, 0 for a single image. */
    standardError: count > 1 ? Math.sqrt(spread / (count - 1) / count) : 0,
    /** Figures of each image. */
    each: found,
  };
}

/** Returns −½ log 2πσ² for each number of an image with a Gaussian read-out, else 0. */
function densityConstant(card: Card): number {
  const likelihood = likelihoodOfCard(card);
  if (likelihood.kind !== 'gaussian') return 0;
  const numbers = card.side ** 2 * likelihood.channels.length;
  return -0.5 * numbers * Math.log(2 * Math.PI * likelihood.sigma ** 2);
}

/** Number of MNIST pixels without padding, as counted by published figures. */
const MNIST_NUMBERS = 28 * 28;

/**
 * Converts nats per image to bits per dimension. Ink on 28² or 32² counts 784 dimensions, as in the
 * published figures.
 *
 * @returns null for a Gaussian read-out, because a density is not a number of bits
 */
export function bitsPerDim(card: Card, nats: number): number | null {
  const likelihood = likelihoodOfCard(card);
  if (likelihood.kind === 'gaussian') return null;
  const isMnist = likelihood.kind === 'bernoulli' && (card.side === 28 || card.side === 32);
  const numbers = isMnist ? MNIST_NUMBERS : card.side ** 2 * imageChannels(likelihood);
  return -nats / (Math.LN2 * numbers);
}
