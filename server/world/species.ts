/** The properties of a checkpoint that a room needs to grow organisms; no tensors. */
import type { ColourRange } from '../../shared/colour-range.ts';
import type { MapPlaces } from '../../shared/latent-map.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import {
  decodeSeed,
  encodeSeed,
  identityInToken,
  type TokenSeed,
} from '../../shared/seed-token.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';
import type { SamplerVersion } from '../vnca/card.ts';
import type { GrowthStep } from '../vnca/growth.ts';
import type { LatentBounds } from '../vnca/latent-bounds.ts';
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
  /** How its throws are drawn: see `sampler.ts`; absent: from N(0, I). */
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
