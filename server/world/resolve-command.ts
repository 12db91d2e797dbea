/** Turns a command into what the journal stores, so that a replay depends on nothing else. */
import { encodeSeed } from '../../shared/seed-token.ts';
import type { OrganismId, ParticipantId } from '../../shared/vocabulary.ts';
import { bounded } from '../vnca/latent-bounds.ts';
import { type PlantedSeed, type RoomCommand, usesSeed } from './commands.ts';
import {
  type CreationContext,
  checkedLatent,
  createLatent,
  isInRange,
  requireWithin,
} from './create-latent.ts';
import { crossLatents } from './cross.ts';
import { thrownLatent } from './sampler.ts';
import { seedOfToken } from './species.ts';

type Context = CreationContext & {
  /** The latent of a living organism. */
  readonly latentOf: (id: OrganismId) => Float32Array | undefined;
};

/**
 * Replaces map points and throws by their latents, as maps and samplers may change, and keeps
 * latents that the checkpoint was not made for out of the journal: those of drawings and tokens are
 * shortened, others refused.
 *
 * @throws Refusal no-such-seed without a map; bad-latent; bad-token
 */
export function resolvedCommand(command: RoomCommand, context: Context): RoomCommand {
  const { latentBounds } = context.species;
  if (usesSeed(command)) {
    return { ...command, seed: resolvedSeed(command.seed, command.by.id, context) };
  }
  if (command.what === 'hold') {
    const latent = bounded(Float32Array.from(command.latent), latentBounds);
    return { ...command, latent: [...latent] };
  }
  if (command.what === 'cross') {
    // Heirs and what a replay plants may be out of bounds.
    const [a, b] = [command.a, command.b].map(context.latentOf);
    if (a && b) requireWithin(crossLatents(a, b, command.mix), latentBounds);
  }
  return command;
}

/** @throws Refusal no-such-seed, bad-latent, bad-token */
function resolvedSeed(seed: PlantedSeed, planter: ParticipantId, context: Context): PlantedSeed {
  const { species, inventory } = context;
  const { latentBounds } = species;
  switch (seed.from) {
    case 'map':
      return { from: 'spot', latent: [...createLatent(seed, planter, context).latent] };
    case 'prior':
      if (seed.throw === undefined) return seed;
      return { from: 'thrown', latent: [...thrownLatent(species, seed.throw)] };
    case 'latent':
      requireWithin(checkedLatent(seed.latent, species), latentBounds);
      return seed;
    case 'hand': {
      const held = inventory.find(planter, seed.seed);
      if (held) requireWithin(held.latent, latentBounds);
      return seed;
    }
    case 'token': {
      const planted = seedOfToken(seed.token, species);
      const { latent } = planted;
      if (!isInRange(latent)) return seed;
      const within = bounded(latent, latentBounds);
      if (within === latent) return seed;
      return { from: 'token', token: encodeSeed({ ...planted, latent: within }, species) };
    }
    default:
      return seed;
  }
}
