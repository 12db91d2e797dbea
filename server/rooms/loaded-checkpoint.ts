/** A checkpoint as loaded: its species, previews, and what pages need to know of it. */

import type { Engine, PatchId } from '../engine/engine.ts';
import type { Clock } from '../platform/clock.ts';
import { openSeedPreviews, type SeedPreviews } from '../previews/open-previews.ts';
import type { RoomInfo } from '../realtime/sessions/room-client.ts';
import { fingerprint } from '../storage/checkpoint-fingerprint.ts';
import { galleryLatent } from '../vnca/checkpoint.ts';
import { GALLERY_COLUMNS } from '../vnca/gallery.ts';
import { selectGallery } from '../vnca/gallery-selection.ts';
import { loadMaps } from '../vnca/latent-map.ts';
import { loadRelatives } from '../vnca/relatives.ts';
import type { Species } from '../world/species.ts';
import type { NamedCheckpoint } from './kept-checkpoints.ts';
import { speciesOf } from './species.ts';

/** A checkpoint that rooms can use. */
export interface LoadedCheckpoint {
  readonly species: Species;
  /** Fingerprint of the checkpoint's files. */
  readonly hash: string;
  /** Sent to clients in their welcome. */
  readonly facts: RoomInfo['checkpoint'];
  readonly previews: SeedPreviews;
}

/** Prepares a checkpoint for rooms. @throws the error of reading its latent map or relatives */
export async function prepareCheckpoint(
  checkpoint: NamedCheckpoint,
  tools: {
    readonly engine: Engine;
    readonly newPatch: () => PatchId;
    readonly clock: Clock;
  },
): Promise<LoadedCheckpoint> {
  const { card } = checkpoint;
  const latents = card.gallery.map((_, i) => galleryLatent(checkpoint, i));
  const { featured, unsuitable } = selectGallery(card.gallery, latents);
  const maps = await loadMaps(checkpoint, featured, !checkpoint.hasBadMap);
  const relatives = await loadRelatives(checkpoint);
  const species = speciesOf(checkpoint, { featured, ...maps, ...(relatives && { relatives }) });
  const previews = openSeedPreviews(checkpoint, { species, ...tools });
  const url = `/checkpoints/${encodeURIComponent(card.name)}`;
  const facts = {
    name: checkpoint.ownName ?? card.name,
    title: card.title,
    side: card.side,
    latentSize: card.latentSize,
    growthTicks: species.schedule.length,
    gallery: card.gallery.map(({ name, kind }) => ({ name, kind })),
    ...{ featured: [...featured], unsuitable: [...unsuitable] },
    sheet: { url: `${url}/gallery.png`, columns: GALLERY_COLUMNS },
    ...(maps && { map: `${url}/map.json` }),
    ...(previews.draws && { draws: previews.draws }),
  };
  return { species, hash: fingerprint(checkpoint), facts, previews };
}
