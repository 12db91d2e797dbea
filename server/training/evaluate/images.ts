/**
 * Measures figures that involve images: lower bounds on the likelihood, reconstruction errors of
 * test images and unseen pictures, and the quality of organisms that grow from random latents
 * ("throws"). Start reading at `measureImages`.
 */
import type { Random } from '../../../shared/random.ts';
import type { Compute } from '../../autodiff/compute.ts';
import type { Card } from '../../vnca/card.ts';
import { galleryLatent, type Model } from '../../vnca/checkpoint.ts';
import { distance } from '../../vnca/gallery.ts';
import { boundsOf as latentBoundsOf } from '../../vnca/genome.ts';
import { imageChannels } from '../../vnca/readout.ts';
import { thrownLatent } from '../../world/dice.ts';
import type { SplitName } from '../data/dataset.ts';
import { TrainingError } from '../errors.ts';
import { openPosteriors, type Posteriors } from '../model/networks.ts';
import {
  differences,
  edgesOf,
  likenesses,
  loadFeatures,
  mean,
  picturesOf,
} from './compare-pictures.ts';
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
  notes.push(`likelihood of ${count} of ${judged.of} ${judged.split} images of "${judged.set}"`);
  if (judged.trained)
    notes.push('these images were also used in training, because the set has no other images');
  if (card.readout.kind === 'rgba-premultiplied') {
    notes.push(
      `nats are of the density of RGBA with noise of σ ${sigmaOf(card)}, including the constant, so there are no bits/dim`,
    );
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

/** Number of samples per call. A call must keep all workers busy. */
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
 * Returns the constant term of an image's log-likelihood. For a Gaussian read-out, it is the number
 * of values in an image times −½ log 2πσ²; for other read-outs, it is 0.
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

/**
 * The number k of Kynkäänniemi et al. 2019. A set's manifold is approximated by a ball around each
 * point, whose radius is the distance to the point's k-th nearest neighbour.
 */
const NEIGHBOURS = 3;

/**
 * Compares two sets of pictures by precision and recall (Kynkäänniemi et al. 2019).
 *
 * @param real features of real pictures, [N, size], N > 3
 * @param made features of generated pictures, [M, size], M > 3
 * @param size number of features per picture
 * @returns `precision`: share of the generated pictures within the manifold of the real pictures;
 *   `recall`: share of the real pictures within the manifold of the generated pictures
 */
export function precisionAndRecall(real: Float32Array, made: Float32Array, size: number) {
  const [ofReal, ofMade] = [real, made].map((all) =>
    Array.from({ length: all.length / size }, (_, n) => all.subarray(n * size, (n + 1) * size)),
  );
  return { precision: covered(ofMade, ofReal), recall: covered(ofReal, ofMade) };
}

/**
 * Returns the share of `points` within the manifold of `set`: a ball around each member, whose
 * radius is the distance to the member's k-th nearest neighbour, with k = `NEIGHBOURS`.
 */
function covered(points: readonly Float32Array[], set: readonly Float32Array[]): number {
  const radii = set.map(
    (one) =>
      Float64Array.from(set, (other) => (other === one ? Infinity : distance(one, other))).sort()[
        NEIGHBOURS - 1
      ],
  );
  const isInside = (point: Float32Array): boolean =>
    set.some((one, m) => distance(point, one) <= radii[m]);
  return points.filter(isInside).length / points.length;
}

/** An organism is stable if it still looks the same this number of steps after growth. */
const HELD_AFTER = 100;
/** Minimum number of pictures for precision and recall: one more than `NEIGHBOURS`. */
const FEWEST = 4;

/** Draws random latents in the same way as the dice in visitors' pages. @returns [N, Z] */
export function throwLatents(model: Model, count: number, random: Random): Float32Array {
  const { latentSize, sampler } = model.card;
  const gallery = model.card.gallery.map((entry, i) => ({
    ...entry,
    latent: galleryLatent(model, i),
  }));
  const latentBounds = latentBoundsOf(
    gallery.map(({ latent }) => latent),
    latentSize,
  );
  const species = { gallery, latentSize, sampler, latentBounds };
  const latents = new Float32Array(count * latentSize);
  for (let at = 0; at < latents.length; at += latentSize) {
    latents.set(thrownLatent(species, random.integer(2 ** 32)), at);
  }
  return latents;
}

/**
 * Measures organisms that grow from random latents: how much they resemble gallery pictures, and
 * whether they keep their pictures.
 *
 * @param latents random latents, [N, Z]
 * @param gallery training images of the gallery; if undefined, resemblance is not measured
 */
export async function measureThrows(
  { compute, batch, notes }: Pick<Tools, 'compute' | 'batch' | 'notes'>,
  latents: Float32Array,
  gallery: Images | undefined,
) {
  const { card } = batch;
  const count = latents.length / card.latentSize;
  const grown = { latents, states: await batch.grow(latents), count };
  const stay = await likenesses(batch, grown, grown, [HELD_AFTER]);
  const pixels = picturesOf(card, grown.states);
  const likeness =
    gallery && Math.min(gallery.count, count) >= FEWEST
      ? await compareFeatures(compute, gallery, { pixels, count })
      : undefined;
  if (!likeness) {
    const needed = `at least ${FEWEST} gallery pictures of 32×32 pixels in RGBA, and at least as many throws`;
    notes.push(`precision and recall were not measured: they need ${needed}`);
  }
  return {
    /**
     * Share of random organisms within the manifold of the gallery's pictures; null if not
     * measured. See `precisionAndRecall`.
     */
    precision: likeness?.precision ?? null,
    /**
     * Share of gallery pictures within the manifold of the random organisms; null if not measured.
     */
    recall: likeness?.recall ?? null,
    /** Share of random organisms that still look the same 100 steps after growth. */
    hold: stay[HELD_AFTER].share,
    throws: count,
    /** Number of gallery pictures compared with the random organisms. */
    pictures: likeness ? gallery!.count : 0,
  };
}

/**
 * Compares two sets of pictures by precision and recall of a net's features. Returns undefined if
 * the net cannot process pictures of this size.
 */
async function compareFeatures(compute: Compute, real: Images, made: Images) {
  const net = await loadFeatures();
  const { side, latentSize } = net.card;
  if (real.pixels.length / real.count !== side * side * 4) return undefined;
  const posteriors = await openPosteriors(compute, net);
  const [ofReal, ofMade] = [
    await posteriors.encode(real.pixels, real.count),
    await posteriors.encode(made.pixels, made.count),
  ];
  await posteriors.dispose();
  return precisionAndRecall(ofReal.mean, ofMade.mean, latentSize);
}
