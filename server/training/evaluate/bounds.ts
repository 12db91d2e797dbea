/** Lower bounds of log p(image): the ELBO and the importance-weighted bound. */
import type { Random } from '../../../shared/random.ts';
import type { Card } from '../../vnca/card.ts';
import { imageChannels } from '../model/likelihood.ts';
import { type EvaluationBatch, likelihoodOfCard } from './evaluation-batch.ts';
import type { Posteriors } from './posteriors.ts';

/**
 * Both bounds from log-weights log p(x|zᵢ) + log p(zᵢ) − log q(zᵢ|x), zᵢ drawn from q: their mean is an unbiased estimate of
 * the ELBO, and logsumexp − log N that of the importance-weighted bound (Burda et al. 2016), which for N = 1 is the same.
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

export interface Bounds {
  /** Nats an image; of several samples each. */
  readonly elbo: number;
  /** Nats an image. */
  readonly iwae: number;
  /** log p(x|z), nats. */
  readonly reconstruction: number;
  /** KL(q ‖ p), nats. */
  readonly divergence: number;
  /** Standard error of `iwae` over images; 0 of a single one. */
  readonly standardError: number;
}

/** What one image came to, nats. */
export type OfImage = readonly [elbo: number, iwae: number, reconstruction: number];

/** Remembers images that have been measured. */
export interface Keep {
  /** The first images. */
  readonly known: readonly OfImage[];
  /** The next ones. */
  add(more: readonly OfImage[]): Promise<void>;
}

export const KEEP_NOTHING: Keep = { known: [], add: async () => {} };

/** Samples, of one image or of several, that are worked on together: enough for every lane to be busy. */
const TOGETHER = 1024;

/** Images to be judged. */
export interface Images {
  /** [N, S, S, c], 0…1. */
  readonly pixels: Float32Array;
  readonly count: number;
}

/**
 * @param samples of the posterior for each image
 * @param random gives an image the chance of its own, wherever a run begins
 * @param keep what is known already is not measured again
 * @returns means over images; a Gaussian read-out's constant is counted in
 */
export async function measureBounds(
  batch: EvaluationBatch,
  posteriors: Posteriors,
  { pixels, count }: Images,
  samples: number,
  random: (image: number) => Random,
  keep: Keep = KEEP_NOTHING,
): Promise<Bounds> {
  const z = batch.card.latentSize;
  const { mean, logSigma } = await posteriors.encode(pixels, count);
  const constant = densityConstant(batch.card);
  const size = pixels.length / count;
  const found = [...keep.known];
  let divergence = 0;
  const together = Math.max(1, Math.floor(TOGETHER / samples));
  while (found.length < count) {
    const first = found.length;
    const images = Math.min(together, count - first);
    const latents = new Float32Array(images * samples * z);
    const targets = new Float32Array(images * samples * size);
    // log p(z) − log q(z|x), where the halves of log 2π cancel: ½(ε² − z²) + log σ.
    const priors = new Float64Array(images * samples);
    const chances = Array.from({ length: images }, (_, i) => random(first + i));
    for (let i = 0; i < images * samples; i++) {
      const n = first + Math.floor(i / samples);
      const chance = chances[n - first];
      targets.set(pixels.subarray(n * size, (n + 1) * size), i * size);
      for (let k = 0; k < z; k++) {
        const noise = chance.normal();
        const value = mean[n * z + k] + Math.exp(logSigma[n * z + k]) * noise;
        latents[i * z + k] = value;
        priors[i] += (noise * noise - value * value) / 2 + logSigma[n * z + k];
      }
    }
    const nats = await batch.nats(latents, targets, `images from ${first}`);
    const news = chances.map((_, i): OfImage => {
      const own = nats.subarray(i * samples, (i + 1) * samples);
      const { elbo, iwae } = boundsOf(own.map((x, j) => priors[i * samples + j] + x + constant));
      return [elbo, iwae, own.reduce((a, b) => a + b, 0) / samples + constant];
    });
    found.push(...news);
    await keep.add(news);
  }
  for (let k = 0; k < count * z; k++) {
    divergence += (mean[k] ** 2 + Math.exp(2 * logSigma[k]) - 1) / 2 - logSigma[k];
  }
  const [elbo, iwae, reconstruction] = [0, 1, 2].map(
    (which) => found.reduce((sum, image) => sum + image[which], 0) / count,
  );
  const spread = found.reduce((sum, [, x]) => sum + (x - iwae) ** 2, 0);
  return {
    elbo,
    iwae,
    reconstruction,
    divergence: divergence / count,
    standardError: count > 1 ? Math.sqrt(spread / (count - 1) / count) : 0,
  };
}

/** −½ log 2πσ² for each number of an image with a Gaussian read-out; else nothing. */
function densityConstant(card: Card): number {
  const likelihood = likelihoodOfCard(card);
  if (likelihood.kind !== 'gaussian') return 0;
  const numbers = card.side ** 2 * likelihood.channels.length;
  return -0.5 * numbers * Math.log(2 * Math.PI * likelihood.sigma ** 2);
}

/** MNIST's pixels, whatever the frame around them, as published figures count them. */
const MNIST_NUMBERS = 28 * 28;

/**
 * Bits for each number of an image; ink on 28² or 32² counts as 784, as in the published figures.
 *
 * @returns nothing for a Gaussian read-out, whose density is no number of bits of anything
 */
export function bitsPerDim(card: Card, nats: number): number | null {
  const likelihood = likelihoodOfCard(card);
  if (likelihood.kind === 'gaussian') return null;
  const isMnist = likelihood.kind === 'bernoulli' && (card.side === 28 || card.side === 32);
  const numbers = isMnist ? MNIST_NUMBERS : card.side ** 2 * imageChannels(likelihood);
  return -nats / (Math.LN2 * numbers);
}
