/** Derives what the world needs to know about a checkpoint. */
import { galleryLatent } from '../vnca/checkpoint.ts';
import { identityOf } from '../vnca/checkpoint-fingerprint.ts';
import { growthSchedule } from '../vnca/growth.ts';
import { boundsOf } from '../vnca/latent-bounds.ts';
import type { Species } from '../world/species.ts';
import type { NamedCheckpoint } from './kept-checkpoints.ts';

/** @returns the species of a checkpoint */
export function speciesOf(
  checkpoint: NamedCheckpoint,
  more: Pick<Species, 'colours' | 'featured' | 'map' | 'wholeMap' | 'relatives'> = {},
): Species {
  const { name, identity, side, latentSize, presence, gallery } = checkpoint.card;
  const { trustedSteps, closing, sampler, update } = checkpoint.card;
  const latents = gallery.map((_, i) => galleryLatent(checkpoint, i));
  return {
    checkpoint: name,
    identity: identity ?? identityOf(checkpoint),
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
