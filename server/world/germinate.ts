/** From what a participant wants to plant to the latent that is planted. */
import type { SeedSource } from '../../shared/protocol/commands.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { Random } from '../../shared/random.ts';
import type { Hands } from './hand.ts';
import type { Organism } from './organism.ts';
import type { Species } from './species.ts';

/**
 * @param participant whose hand is meant
 * @param random drawn from only for a seed of the prior
 * @throws Refusal no-such-seed, bad-latent
 */
export function germinate(
  seed: SeedSource,
  participant: number,
  { species, hands, random }: { species: Species; hands: Hands; random: Random },
): Pick<Organism, 'latent' | 'origin' | 'kind' | 'parents'> {
  switch (seed.from) {
    case 'gallery': {
      const entry = species.gallery[seed.index];
      if (!entry) throw new Refusal('no-such-seed', `gallery index ${seed.index}`);
      return { latent: entry.latent, origin: 'gallery', kind: entry.name, parents: [] };
    }
    case 'prior':
      return { latent: random.latent(species.latentSize), origin: 'prior', kind: '', parents: [] };
    case 'latent': {
      const latent = Float32Array.from(seed.latent);
      if (latent.length !== species.latentSize || !latent.every(Number.isFinite)) {
        throw new Refusal('bad-latent', `length ${latent.length}`);
      }
      return { latent, origin: 'latent', kind: '', parents: [] };
    }
    case 'hand': {
      const held = hands.find(participant, seed.seed);
      if (!held) throw new Refusal('no-such-seed', `seed ${seed.seed}`);
      return { latent: held.latent, origin: held.origin, kind: '', parents: held.parents };
    }
  }
}
