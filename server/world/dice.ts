/**
 * Draws the latents of random seeds, for example for the dice on a visitor's page. Sampler 2 draws
 * latents that are similar to those of the gallery's creatures.
 */
import { createRandom } from '../../shared/random.ts';
import { getOrAdd } from '../platform/collections.ts';
import type { SamplerVersion } from '../vnca/card.ts';
import { bounded } from '../vnca/genome.ts';
import type { Species } from './species.ts';

/**
 * Factor for the standard deviations of the normal distribution that sampler 2 fits to the gallery.
 * With a factor of 1, more organisms would be shapeless.
 */
const TEMPERATURE = 0.85;
/**
 * Sampler 2 fits its normal distribution to the gallery entries of these categories. If there are
 * fewer such entries than numbers in a latent (Z), it uses all entries.
 */
const CREATURES: readonly (string | undefined)[] = ['animal', 'plant'];
/**
 * Value added to variances. Without it, the covariance of fewer than Z latents would have no
 * Cholesky factor.
 */
const RIDGE = 1e-4;

type Gallery = Species['gallery'];

const fits = new WeakMap<Gallery, ReturnType<typeof fitTo>>();

/**
 * Converts standard normal numbers to a latent, with the same result on every machine.
 *
 * @param version version of the sampler; if undefined, `normals` is returned as the latent
 * @param normals [Z]
 * @returns [Z]
 */
export function sampleLatent(
  { gallery, latentSize }: Pick<Species, 'gallery' | 'latentSize'>,
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

/**
 * Returns the latent of a random seed, within the checkpoint's bounds.
 *
 * @param number random number from the dice on the visitor's page, uint32
 */
export function thrownLatent(
  species: Pick<Species, 'gallery' | 'latentSize' | 'sampler' | 'latentBounds'>,
  number: number,
): Float32Array {
  const normals = createRandom(number).latent(species.latentSize);
  return bounded(sampleLatent(species, species.sampler, normals), species.latentBounds);
}

/**
 * Fits a normal distribution to the latents of a gallery.
 *
 * @returns the mean, [Z], and the lower triangle of the covariance's Cholesky factor, [Z, Z]
 */
function fitTo(gallery: Gallery, size: number) {
  const creatures = gallery.filter(({ kind }) => CREATURES.includes(kind));
  const chosen = creatures.length >= size ? creatures : gallery;
  const mean = new Float64Array(size);
  for (const { latent } of chosen) latent.forEach((value, i) => void (mean[i] += value));
  for (let i = 0; i < size; i++) mean[i] /= chosen.length;
  const factor = new Float64Array(size * size);
  // Cholesky–Banachiewicz algorithm, row by row.
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
