/**
 * Draws latents as a checkpoint's card says. The prior N(0, I) of training is far wider than what
 * most galleries cover, so many of its organisms look like nothing; sampler 1 draws from a normal
 * distribution fitted to the gallery's creatures.
 */
import { createRandom } from '../../shared/random.ts';
import { getOrAdd } from '../platform/get-or-add.ts';
import type { SamplerVersion } from '../vnca/card.ts';
import { bounded } from '../vnca/latent-bounds.ts';
import type { Species } from './species.ts';

/** Of sampler 1: factor on the standard deviations. At 1, more organisms look like nothing. */
const TEMPERATURE = 0.85;
/** Of sampler 1: what it is fitted to; everything where there are fewer than Z of these. */
const CREATURES: readonly (string | undefined)[] = ['animal', 'face'];
/** Added to variances, so that fits to few latents have a factor too. */
const RIDGE = 1e-4;

/** A normal distribution. */
interface Fit {
  /** [Z] */
  readonly mean: Float64Array;
  /** Lower triangle of the covariance's Cholesky factor, [Z, Z]. */
  readonly factor: Float64Array;
}

type Gallery = Species['gallery'];
type Sampled = Pick<Species, 'gallery' | 'latentSize'>;

/** Fits are made at the first draw. */
const fits = new WeakMap<Gallery, Fit>();

/**
 * The latent for standard normal numbers. Equal numbers give equal latents on every machine.
 *
 * @param version of the sampler; undefined: N(0, I)
 * @param normals [Z]
 * @returns [Z]
 */
export function sampleLatent(
  { gallery, latentSize }: Sampled,
  version: SamplerVersion | undefined,
  normals: Float32Array,
): Float32Array {
  if (version === undefined || gallery.length === 0) return normals;
  const { mean, factor } = getOrAdd(fits, gallery, () => fitTo(gallery, latentSize));
  return Float32Array.from(mean, (middle, i) => {
    let sum = 0;
    for (let j = 0; j <= i; j++) sum += factor[i * latentSize + j] * normals[j];
    return middle + TEMPERATURE * sum;
  });
}

/** The latent of a throw, by the checkpoint's sampler and within its bounds. @param number uint32 */
export function thrownLatent(
  species: Pick<Species, 'gallery' | 'latentSize' | 'sampler' | 'latentBounds'>,
  number: number,
): Float32Array {
  const normals = createRandom(number).latent(species.latentSize);
  return bounded(sampleLatent(species, species.sampler, normals), species.latentBounds);
}

function fitTo(gallery: Gallery, size: number): Fit {
  const creatures = gallery.filter(({ kind }) => CREATURES.includes(kind));
  const chosen = creatures.length >= size ? creatures : gallery;
  const mean = new Float64Array(size);
  for (const { latent } of chosen) latent.forEach((value, i) => void (mean[i] += value));
  for (let i = 0; i < size; i++) mean[i] /= chosen.length;
  const factor = new Float64Array(size * size);
  // Cholesky–Banachiewicz, row by row.
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? RIDGE : 0;
      for (const { latent } of chosen) {
        sum += ((latent[i] - mean[i]) * (latent[j] - mean[j])) / chosen.length;
      }
      for (let k = 0; k < j; k++) sum -= factor[i * size + k] * factor[j * size + k];
      factor[i * size + j] = i === j ? Math.sqrt(sum) : sum / factor[j * size + j];
    }
  }
  return { mean, factor };
}
