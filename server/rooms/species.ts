/** Derives what the world needs to know about a checkpoint. */
import { galleryLatent } from '../vnca/checkpoint.ts';
import { growthSchedule } from '../vnca/growth.ts';
import { boundsOf } from '../vnca/latent-bounds.ts';
import type { Namesake, Species } from '../world/species.ts';
import type { NamedCheckpoint } from './kept-checkpoints.ts';

/** @returns the species of a checkpoint */
export function speciesOf(
  checkpoint: NamedCheckpoint,
  more: Pick<Species, 'colours' | 'featured' | 'map' | 'wholeMap' | 'relatives' | 'namesakes'> = {},
): Species {
  const { name, identity, side, latentSize, presence, gallery } = checkpoint.card;
  const { trustedSteps, closing, sampler, update } = checkpoint.card;
  const latents = gallery.map((_, i) => galleryLatent(checkpoint, i));
  return {
    checkpoint: name,
    ...(checkpoint.ownName && { ownName: checkpoint.ownName }),
    ...(identity && { identity }),
    side,
    latentSize,
    latentBounds: boundsOf(latents, latentSize),
    schedule: growthSchedule(checkpoint.card),
    threshold: Math.ceil(presence.threshold * 255),
    hasStandingInput: update.standingInput,
    trustedSteps,
    closing,
    sampler,
    ...more,
    gallery: gallery.map((entry, i) => ({
      kind: entry.kind,
      name: entry.name,
      latent: latents[i],
    })),
  };
}

/** The loaded checkpoints that have the name of this one, and other weights. */
export function namesakesOf(
  checkpoint: NamedCheckpoint,
  loaded: readonly NamedCheckpoint[],
): Namesake[] {
  const nameOf = ({ card, ownName }: NamedCheckpoint): string => ownName ?? card.name;
  return loaded
    .filter((one) => one !== checkpoint && nameOf(one) === nameOf(checkpoint))
    .map(({ card }) => ({
      tokens: {
        identity: card.identity,
        checkpoint: nameOf(checkpoint),
        latentSize: card.latentSize,
      },
      gallery: card.gallery.map(({ name }) => name),
    }));
}
