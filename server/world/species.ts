/** The properties of a checkpoint that a room needs to grow organisms. Contains no tensors. */
import type { ColourRange } from '../../shared/hues.ts';
import { type MapPlaces, type MapPoint, weightsAt } from '../../shared/latent-map.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { createRandom } from '../../shared/random.ts';
import {
  decodeSeed,
  encodeSeed,
  identityInToken,
  type TokenSeed,
} from '../../shared/seed-token.ts';
import { getOrAdd } from '../platform/collections.ts';
import type { GrowthStep } from '../vnca/architecture.ts';
import type { SamplerVersion } from '../vnca/card.ts';
import { bounded, type LatentBounds } from '../vnca/genome.ts';
import type { Relatives } from '../vnca/relatives.ts';
import { genomesOf, type Seed } from './organisms/grafts.ts';

export interface Species {
  /** Name of the checkpoint in the engine. */
  readonly checkpoint: string;
  /** Identity of the weights, which tokens contain. */
  readonly identity: string;
  /** Side S of a grown organism's window, in cells; even. */
  readonly side: number;
  /** Number Z of values in a latent. */
  readonly latentSize: number;
  /** Limits of the latents that may be planted. */
  readonly latentBounds: LatentBounds;
  /** All growth steps, from the seed to the grown organism. */
  readonly schedule: readonly GrowthStep[];
  /** Minimum aliveness at which a cell claims its position, 0…255. */
  readonly threshold: number;
  /**
   * Whether the checkpoint's network reads the latent in every step. Only then can organisms
   * transform or be grafted.
   */
  readonly hasStandingInput?: boolean | undefined;
  /**
   * Maximum number of steps that an organism takes before it sleeps, counted since it became grown
   * or was last woken. If absent, there is no limit.
   */
  readonly trustedSteps?: number | undefined;
  /**
   * How far wounds close from their rim, in cells per step. If absent, wounds close immediately.
   */
  readonly closing?: number | undefined;
  readonly gallery: readonly {
    readonly name: string;
    /** Category of the entry, such as animal or plant. */
    readonly kind?: string;
    readonly latent: Float32Array;
  }[];
  /** The colour range of each gallery entry's mean colour; absent if unknown. */
  readonly colours?: readonly (ColourRange | undefined)[] | undefined;
  /**
   * For each gallery entry, [S, S] with 1 for each cell of the grown organism, otherwise 0. Absent
   * if unknown.
   */
  readonly bodies?: readonly Uint8Array[] | undefined;
  /**
   * Indices of the gallery entries that are offered to visitors first. If absent, all entries are
   * offered.
   */
  readonly featured?: readonly number[];
  /** Positions of the featured entries on the latent map; absent if there is no map. */
  readonly map?: MapPlaces | undefined;
  /** Positions of all gallery entries on the latent map of the whole gallery. */
  readonly wholeMap?: MapPlaces | undefined;
  /**
   * For each gallery creature, the similar creatures (relatives) that it can express. If absent, no
   * creature has relatives.
   */
  readonly relatives?: Relatives | undefined;
  /**
   * Version of the sampler for random seeds: see `sampleLatent`. If absent, latents are drawn from
   * N(0, I).
   */
  readonly sampler?: SamplerVersion | undefined;
}

/**
 * Decodes the seed in a token.
 *
 * @throws Refusal 'bad-token' if the token is damaged or was made with other weights
 */
export function seedOfToken(token: string, species: Species): TokenSeed {
  const seed = decodeSeed(token, species);
  if (seed) return seed;
  const isForeign = ![undefined, species.identity].includes(identityInToken(token));
  throw new Refusal('bad-token', isForeign ? 'it grows from other weights' : undefined);
}

/** Checks that organisms can transform and be grafted. @throws Refusal 'not-here' if they cannot */
export function requireStandingInput({ hasStandingInput }: Species): void {
  if (hasStandingInput) return;
  throw new Refusal('not-here', 'the cells of this checkpoint do not read genomes');
}

/** Returns the seed of an organism as a token. */
export function seedTokenOf(species: Species, organism: Omit<Seed, 'parents'>): string {
  const { grafts } = organism;
  const numbered = ({ kind, latent, origin }: Pick<Seed, 'kind' | 'latent' | 'origin'>) => {
    const index = species.gallery.findIndex(({ name }) => name === kind);
    return { kind: index < 0 ? undefined : index, latent, origin };
  };
  const { labels } = genomesOf(organism);
  const parts = labels && { genomes: grafts!.genomes.map(numbered), places: labels };
  return encodeSeed({ ...numbered(organism), grafts: parts }, species);
}

/**
 * Returns the growth step that an organism of a given age takes next.
 *
 * @param age number of steps that the organism has taken so far
 */
export function growthStep({ schedule, side }: Species, age: number): GrowthStep {
  return schedule[age] ?? { divide: false, stage: side };
}

/** Returns the indices of the gallery entries that are offered to visitors first. */
export function featuredOf({ gallery, featured }: Pick<Species, 'gallery' | 'featured'>) {
  return featured ?? [...gallery.keys()];
}

/**
 * Factor by which sampler 2 multiplies the standard deviations of the normal distribution that is
 * fitted to the gallery. With a factor of 1, more organisms would be shapeless.
 */
const TEMPERATURE = 0.85;
/**
 * Sampler 2 is fitted to the gallery entries of these categories. If there are fewer than Z such
 * entries, sampler 2 is fitted to all entries.
 */
const CREATURES: readonly (string | undefined)[] = ['animal', 'plant'];
/**
 * Value added to variances. Without it, the covariance of fewer than Z latents would have no
 * Cholesky factor.
 */
const RIDGE = 1e-4;

type Gallery = Species['gallery'];

/** Caches the distribution fitted to each gallery's latents. */
const fits = new WeakMap<Gallery, ReturnType<typeof fitTo>>();

/**
 * Converts standard normal numbers to a latent. Equal numbers give equal latents on every machine.
 *
 * @param version version of the sampler; if undefined, the latent is drawn from N(0, I), so it
 *   equals `normals`
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
 * Returns the latent of a random seed with a `throw` number (the number of a throw of the dice in
 * the visitor's page). The checkpoint's sampler computes the latent. If necessary, the latent is
 * then scaled down to the checkpoint's bounds.
 *
 * @param number number of the throw, uint32
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

/**
 * Returns the latent at a point of the latent map: the weighted mean of the latents of nearby
 * creatures, scaled to the weighted mean of their lengths. At a creature's own point, returns this
 * creature's latent.
 *
 * @param point.whole whether the point is on the map of the whole gallery, instead of the map of
 *   featured creatures
 * @returns [Z]; undefined if there is no map
 */
export function latentOnMap(
  species: Pick<Species, 'map' | 'wholeMap' | 'gallery' | 'latentSize'>,
  point: MapPoint & { readonly whole?: boolean | undefined },
): Float32Array | undefined {
  const { gallery, latentSize } = species;
  const map = point.whole ? species.wholeMap : species.map;
  if (!map || map.length === 0) return undefined;
  const weights = weightsAt(map, point);
  if (weights.length === 1) return gallery[weights[0].index].latent;
  const latent = new Float32Array(latentSize);
  let length = 0;
  for (const { index, share } of weights) {
    const neighbour = gallery[index].latent;
    length += share * Math.hypot(...neighbour);
    for (let c = 0; c < latentSize; c++) latent[c] += share * neighbour[c];
  }
  // Scale the mean to the mean length of the nearby creatures' latents. A mean of vectors is
  // shorter than the vectors themselves, and the shorter a latent is, the more its creature
  // resembles the average creature, which looks like a grey blot.
  const scale = length / (Math.hypot(...latent) || 1);
  return latent.map((value) => value * scale);
}
