/** From what a participant wants to plant to the latent that is planted. */

import { Refusal } from '../../shared/protocol/reasons.ts';
import { createRandom, type Random } from '../../shared/random.ts';
import { decodeSeed } from '../../shared/seed-token.ts';
import type { PlantedSeed } from './commands.ts';
import { latentOnMap } from './latent-map.ts';
import type { Organism } from './organism.ts';
import type { SeedInventory } from './seed-inventory.ts';
import type { Species } from './species.ts';

/**
 * @param participant whose hand is meant
 * @param random drawn from only for a seed of the prior that has no throw
 * @throws Refusal no-such-seed, bad-latent, bad-token
 */
export function createLatent(
  seed: PlantedSeed,
  participant: number,
  {
    species,
    inventory: hands,
    random,
  }: { species: Species; inventory: SeedInventory; random: Random },
): Pick<Organism, 'latent' | 'origin' | 'kind' | 'parents'> {
  switch (seed.from) {
    case 'gallery': {
      const entry = species.gallery[seed.index];
      if (!entry) throw new Refusal('no-such-seed', `gallery index ${seed.index}`);
      return { latent: entry.latent, origin: 'gallery', kind: entry.name, parents: [] };
    }
    case 'prior': {
      const chance = seed.throw === undefined ? random : createRandom(seed.throw);
      return { latent: chance.latent(species.latentSize), origin: 'prior', kind: '', parents: [] };
    }
    case 'map': {
      const latent = latentOnMap(species, seed);
      if (!latent) throw new Refusal('no-such-seed', 'there is no map');
      return { latent, origin: 'map', kind: '', parents: [] };
    }
    case 'latent':
    case 'spot': {
      const latent = checkedLatent(seed.latent, species);
      return { latent, origin: seed.from === 'spot' ? 'map' : 'latent', kind: '', parents: [] };
    }
    case 'token': {
      const kept = decodeSeed(seed.token, species);
      if (!kept || !isSound(kept.latent)) throw new Refusal('bad-token');
      const kind = species.gallery[kept.kind ?? -1]?.name ?? '';
      return { latent: kept.latent, origin: 'keepsake', kind, parents: [] };
    }
    case 'hand': {
      const held = hands.find(participant, seed.seed);
      if (!held) throw new Refusal('no-such-seed', `seed ${seed.seed}`);
      return { latent: held.latent, origin: held.origin, kind: '', parents: held.parents };
    }
  }
}

/**
 * Far beyond all that a rule was trained on, and far below where children of children would leave the numbers: crossing makes no
 * latent longer than its parents are.
 */
const FARTHEST = 4_096;

const isSound = (latent: Float32Array): boolean =>
  latent.every((value) => Math.abs(value) <= FARTHEST);

/** @throws Refusal bad-latent */
export function checkedLatent(
  numbers: readonly number[],
  { latentSize }: Pick<Species, 'latentSize'>,
): Float32Array {
  const latent = Float32Array.from(numbers);
  if (latent.length !== latentSize || !isSound(latent)) {
    throw new Refusal('bad-latent', `length ${latent.length}`);
  }
  return latent;
}
