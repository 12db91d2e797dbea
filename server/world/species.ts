/** The properties of a checkpoint that a room needs to grow organisms; no tensors. */
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
import type { OrganismView } from '../../shared/vocabulary.ts';
import { getOrAdd } from '../platform/collections.ts';
import type { GrowthStep } from '../vnca/architecture.ts';
import type { SamplerVersion } from '../vnca/card.ts';
import { bounded, type LatentBounds } from '../vnca/genome.ts';
import type { Relatives } from '../vnca/relatives.ts';

/** A checkpoint as rooms see it. */
export interface Species {
  /** Name of the checkpoint in the engine. */
  readonly checkpoint: string;
  /** Of its weights, in tokens. */
  readonly identity: string;
  /** Full side S; even. */
  readonly side: number;
  /** Length Z of a latent. */
  readonly latentSize: number;
  /** Latents beyond these are not planted. */
  readonly latentBounds: LatentBounds;
  /** All steps from the seed to the grown organism. */
  readonly schedule: readonly GrowthStep[];
  /** Least presence, 0…255, with which a cell claims its place. */
  readonly threshold: number;
  /** Whether its rule reads the latent in every step, so that organisms can become others. */
  readonly hasStandingInput?: boolean | undefined;
  /** Steps since grown or last woken after which an organism sleeps; absent: no limit. */
  readonly trustedSteps?: number | undefined;
  /** Cells a step by which wounds close from their rim; absent: they close at once. */
  readonly closing?: number | undefined;
  readonly gallery: readonly {
    readonly name: string;
    /** Category: animal, plant, … */
    readonly kind?: string;
    readonly latent: Float32Array;
  }[];
  /** Ranges of the gallery entries' mean colours; absent: unknown. */
  readonly colours?: readonly (ColourRange | undefined)[] | undefined;
  /** Gallery indices that visitors are offered first; absent: all. */
  readonly featured?: readonly number[];
  /** Where featured entries lie on the latent map; absent: there is no map. */
  readonly map?: MapPlaces | undefined;
  /** Where all entries lie on the map of the whole gallery. */
  readonly wholeMap?: MapPlaces | undefined;
  /** Whom its gallery creatures can express; absent: nobody. */
  readonly relatives?: Relatives | undefined;
  /** How its throws are drawn: see `sampleLatent`; absent: from N(0, I). */
  readonly sampler?: SamplerVersion | undefined;
}

/** The seed in a token. @throws Refusal bad-token: it is damaged, or grows from other weights */
export function seedOfToken(token: string, species: Species): TokenSeed {
  const seed = decodeSeed(token, species);
  if (seed) return seed;
  const isWhole = identityInToken(token) !== undefined;
  throw new Refusal('bad-token', isWhole ? 'it grows from other weights' : undefined);
}

/** The seed of an organism as a token. */
export function seedTokenOf(
  species: Species,
  { kind, latent, origin }: Pick<OrganismView, 'kind' | 'origin'> & Pick<TokenSeed, 'latent'>,
): string {
  const index = species.gallery.findIndex(({ name }) => name === kind);
  return encodeSeed({ kind: index < 0 ? undefined : index, latent, origin }, species);
}

/** The growth step that an organism takes at an age. @param age steps taken before */
export function growthStep({ schedule, side }: Species, age: number): GrowthStep {
  return schedule[age] ?? { divide: false, stage: side };
}

/** Gallery indices that visitors are offered first. */
export const featuredOf = ({
  gallery,
  featured,
}: Pick<Species, 'gallery' | 'featured'>): readonly number[] => featured ?? [...gallery.keys()];

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

/**
 * The latent at a point of the map: the weighted mean of the nearby creatures' latents, scaled to
 * their mean length. At a creature's own point it is that creature's latent.
 *
 * @param point.whole of the map of the whole gallery, not of the featured creatures
 * @returns [Z]; undefined without a map
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
  // The plain mean is shorter, near the average creature, which is a grey blot.
  const scale = length / (Math.hypot(...latent) || 1);
  return latent.map((value) => value * scale);
}
