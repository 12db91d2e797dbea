/** The properties of a checkpoint that a room needs to grow organisms. */
import type { ColourRange } from '../../shared/hues.ts';
import { type MapPlaces, type MapPoint, weightsAt } from '../../shared/latent-map.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import {
  decodeSeed,
  encodeSeed,
  identityInToken,
  type TokenSeed,
} from '../../shared/seed-token.ts';
import type { GrowthStep } from '../vnca/architecture.ts';
import type { SamplerVersion } from '../vnca/card.ts';
import type { LatentBounds } from '../vnca/genome.ts';
import type { Relatives } from '../vnca/relatives.ts';
import { genomesOf, type Seed } from './organisms/grafts.ts';

export interface Species {
  readonly checkpoint: string;
  /** Identity of the weights. Every token contains this identity. */
  readonly identity: string;
  /** Side S of a grown organism's window, in cells; an even number. */
  readonly side: number;
  /** Size Z of a latent. */
  readonly latentSize: number;
  /** Limits of the latents that may be planted. */
  readonly latentBounds: LatentBounds;
  /** All growth steps, from the seed to the grown organism. */
  readonly schedule: readonly GrowthStep[];
  /** Minimum aliveness of a cell, 0…255, at which its organism claims the cell's position. */
  readonly threshold: number;
  /**
   * Whether the checkpoint's network reads the latent in every step. If not, organisms can neither
   * transform nor be grafted.
   */
  readonly hasStandingInput?: boolean | undefined;
  /**
   * Maximum number of steps for which an organism stays awake after it has grown or woken. If
   * absent, there is no limit.
   */
  readonly trustedSteps?: number | undefined;
  /**
   * Speed at which wounds close from their rim, in cells per step. If absent, wounds close
   * immediately.
   */
  readonly closing?: number | undefined;
  readonly gallery: readonly {
    readonly name: string;
    /** Category of the entry, for example "animal" or "plant". */
    readonly kind?: string;
    readonly latent: Float32Array;
  }[];
  /**
   * For each gallery entry, the colour range (such as 'red') of its mean colour; absent if unknown.
   */
  readonly colours?: readonly (ColourRange | undefined)[] | undefined;
  /**
   * [S, S] for each gallery entry: 1 for each cell of the grown organism, otherwise 0. Absent if
   * unknown.
   */
  readonly bodies?: readonly Uint8Array[] | undefined;
  /** Indices of the gallery entries that visitors are offered first. If absent, all entries. */
  readonly featured?: readonly number[];
  /** Positions of the featured entries on the latent map; absent if there is no map. */
  readonly map?: MapPlaces | undefined;
  /** Positions of all gallery entries on the map of the whole gallery. */
  readonly wholeMap?: MapPlaces | undefined;
  /**
   * For each gallery creature, the similar creatures (relatives) that it can look like. If absent,
   * no creature has relatives.
   */
  readonly relatives?: Relatives | undefined;
  /**
   * Version of the algorithm that draws random latents (`sampleLatent`). If absent, latents have a
   * standard normal distribution.
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

/** Throws an error if organisms cannot transform or be grafted. @throws Refusal 'not-here' */
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
 * Returns an organism's next growth step.
 *
 * @param age number of steps that the organism has taken so far
 */
export function growthStep({ schedule, side }: Species, age: number): GrowthStep {
  return schedule[age] ?? { divide: false, stage: side };
}

/** Returns the indices of the gallery entries that visitors are offered first. */
export function featuredOf({ gallery, featured }: Pick<Species, 'gallery' | 'featured'>) {
  return featured ?? [...gallery.keys()];
}

/**
 * Returns the latent at a point of the latent map. Its direction is that of the weighted mean of
 * the nearby creatures' latents; its length is the weighted mean of their lengths. At a creature's
 * own point, returns that creature's latent.
 *
 * @param point.whole true for a point on the map of the whole gallery; otherwise, the point is on
 *   the map of featured creatures
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
  // Scale the mean, because a mean of vectors is shorter than the vectors, and a short latent gives
  // a grey blot instead of a distinct creature.
  const scale = length / (Math.hypot(...latent) || 1);
  return latent.map((value) => value * scale);
}
