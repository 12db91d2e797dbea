/** Derives what the world needs to know about a checkpoint. */
import { galleryLatent } from '../vnca/checkpoint.ts';
import { growthSchedule } from '../vnca/growth.ts';
import type { Species } from '../world/species.ts';
import type { NamedCheckpoint } from './kept-checkpoints.ts';

/** @returns the species of a checkpoint, with the latent map if there is one */
export function speciesOf(checkpoint: NamedCheckpoint, map?: Species['map']): Species {
  const { name, side, latentSize, presence, trustedSteps, gallery } = checkpoint.card;
  return {
    checkpoint: name,
    ...(checkpoint.ownName && { ownName: checkpoint.ownName }),
    side,
    latentSize,
    schedule: growthSchedule(checkpoint.card),
    threshold: Math.ceil(presence.threshold * 255),
    trustedSteps,
    map,
    gallery: gallery.map((entry, i) => ({
      kind: entry.kind,
      name: entry.name,
      latent: galleryLatent(checkpoint, i),
    })),
  };
}
