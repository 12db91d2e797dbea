/** The properties of a checkpoint that a room needs to grow organisms; no tensors. */
import type { ColourRange } from '../../shared/colour-range.ts';
import type { MapPlaces } from '../../shared/latent-map.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import {
  decodeSeed,
  encodeSeed,
  type TokenSeed,
  type TokenSpecies,
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
  /** Its own name, which tokens refer to; absent: the same. */
  readonly ownName?: string | undefined;
  /** What tokens name its weights by; absent: their name. */
  readonly identity?: string | undefined;
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
  /** Other weights of its name that are loaded; absent: none. */
  readonly namesakes?: readonly Namesake[];
}

/** Other weights of the same name: a token of one of their gallery creatures grows its namesake. */
export interface Namesake {
  readonly tokens: TokenSpecies;
  /** Names of the gallery, in order. */
  readonly gallery: readonly string[];
}

/** What tokens refer to. */
export function tokenSpecies(species: Species): TokenSpecies {
  const { identity, checkpoint, ownName, latentSize } = species;
  return { identity, checkpoint: ownName ?? checkpoint, latentSize };
}

/**
 * What a token plants: the seed itself, or of other weights' gallery the creature of that name.
 *
 * @throws Refusal bad-token
 */
export function seedOfToken(token: string, species: Species): TokenSeed {
  const seed = decodeSeed(token, tokenSpecies(species));
  if (seed) return seed;
  for (const { tokens, gallery } of species.namesakes ?? []) {
    const earlier = decodeSeed(token, tokens);
    if (!earlier) continue;
    const name = gallery[earlier.kind ?? -1];
    const kind = species.gallery.findIndex((entry) => entry.name === name);
    if (kind >= 0) return { kind, latent: species.gallery[kind].latent };
    throw new Refusal('bad-token', 'it grows from other weights');
  }
  throw new Refusal('bad-token');
}

/** The seed of an organism as a token. */
export function seedTokenOf(
  species: Species,
  { kind, latent, origin }: Pick<OrganismView, 'kind' | 'origin'> & Pick<TokenSeed, 'latent'>,
): string {
  const index = species.gallery.findIndex(({ name }) => name === kind);
  return encodeSeed({ kind: index < 0 ? undefined : index, latent, origin }, tokenSpecies(species));
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
