/** Turns the source of a seed into the latent that is planted. */
import { Refusal } from '../../shared/protocol/reasons.ts';
import { createRandom, type Random } from '../../shared/random.ts';
import type { SamplerVersion } from '../vnca/card.ts';
import { isWithin, type LatentBounds } from '../vnca/latent-bounds.ts';
import type { PlantedSeed } from './commands.ts';
import { latentOnMap } from './latent-map.ts';
import type { Organism } from './organism.ts';
import { sampleLatent } from './sampler.ts';
import type { SeedInventory } from './seed-inventory.ts';
import { type Species, seedOfToken } from './species.ts';

/** What seeds are made from. */
export interface CreationContext {
  readonly species: Species;
  readonly inventory: SeedInventory;
  readonly random: Random;
  /** What the room draws with; undefined: N(0, I). */
  readonly sampler: SamplerVersion | undefined;
}

/**
 * Finds or makes the latent of a seed source, with its origin, kind and parents.
 *
 * @param participant owner of the held seed, if it is one
 * @param context.random used only for a prior seed without `throw`: Z normal numbers
 * @throws Refusal no-such-seed, bad-latent, bad-token
 */
export function createLatent(
  seed: PlantedSeed,
  participant: number,
  { species, inventory, random, sampler }: CreationContext,
): Pick<Organism, 'latent' | 'origin' | 'kind' | 'parents'> {
  switch (seed.from) {
    case 'gallery': {
      const entry = species.gallery[seed.index];
      if (!entry) throw new Refusal('no-such-seed', `gallery index ${seed.index}`);
      return { latent: entry.latent, origin: 'gallery', kind: entry.name, parents: [] };
    }
    case 'prior': {
      const latent =
        seed.throw === undefined
          ? sampleLatent(species, sampler, random.latent(species.latentSize))
          : createRandom(seed.throw).latent(species.latentSize);
      return { latent, origin: 'prior', kind: '', parents: [] };
    }
    case 'map': {
      const latent = latentOnMap(species, seed);
      if (!latent) throw new Refusal('no-such-seed', 'there is no map');
      return { latent, origin: 'map', kind: '', parents: [] };
    }
    case 'latent':
    case 'spot':
    case 'thrown': {
      const latent = checkedLatent(seed.latent, species);
      return { latent, origin: ORIGINS[seed.from], kind: '', parents: [] };
    }
    case 'heir': {
      const { origin, kind, parents } = seed;
      return { latent: checkedLatent(seed.latent, species), origin, kind, parents };
    }
    case 'token': {
      const decoded = seedOfToken(seed.token, species);
      if (!isInRange(decoded.latent)) throw new Refusal('bad-token');
      const kind = species.gallery[decoded.kind ?? -1]?.name ?? '';
      const origin = decoded.origin ?? 'keepsake';
      return { latent: decoded.latent, origin, kind, parents: [] };
    }
    case 'hand': {
      const held = inventory.find(participant, seed.seed);
      if (!held) throw new Refusal('no-such-seed', `seed ${seed.seed}`);
      return { latent: held.latent, origin: held.origin, kind: '', parents: held.parents };
    }
  }
}

/**
 * Largest magnitude of a latent's value that a journal may hold: far below overflow. A cross is
 * never longer than its parents, so its values stay in range too. New commands are bound more
 * closely: see `requireWithin`.
 */
const MAX_VALUE = 4_096;

const ORIGINS = { latent: 'latent', spot: 'map', thrown: 'prior' } as const;

/** Whether a latent can be planted at all. */
export const isInRange = (latent: Float32Array): boolean =>
  latent.every((value) => Math.abs(value) <= MAX_VALUE);

/** Converts numbers to a latent, [Z]. @throws Refusal bad-latent for a wrong length or range */
export function checkedLatent(
  numbers: readonly number[],
  { latentSize }: Pick<Species, 'latentSize'>,
): Float32Array {
  const latent = Float32Array.from(numbers);
  if (latent.length !== latentSize || !isInRange(latent)) {
    throw new Refusal('bad-latent', `length ${latent.length}`);
  }
  return latent;
}

/**
 * Checks a latent where a command arrives; a replay takes what was planted.
 *
 * @throws Refusal bad-latent, which says how far out it is
 */
export function requireWithin(latent: Float32Array, bounds: LatentBounds): void {
  if (isWithin(latent, bounds)) return;
  const length = Math.hypot(...latent).toFixed(1);
  const { norm, value } = bounds;
  throw new Refusal(
    'bad-latent',
    `length ${length}; at most ${norm.toFixed(1)}, and ${value.toFixed(1)} for each number`,
  );
}
