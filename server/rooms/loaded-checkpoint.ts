/** What rooms are grown from: a checkpoint with what was made of it. */

import type { Engine, PatchId } from '../engine/engine.ts';
import type { Clock } from '../platform/clock.ts';
import { openSeedPreviews, type SeedPreviews } from '../previews/open-previews.ts';
import type { RoomInfo } from '../realtime/sessions/room-client.ts';
import { fingerprint } from '../storage/checkpoint-fingerprint.ts';
import type { Checkpoint } from '../vnca/checkpoint.ts';
import { GALLERY_COLUMNS } from '../vnca/gallery.ts';
import { loadMap } from '../vnca/latent-map.ts';
import type { Species } from '../world/species.ts';
import { galleryUrl, mapUrl } from './checkpoint-urls.ts';
import { speciesOf } from './species.ts';

/** What rooms can be grown from. */
export interface LoadedCheckpoint {
  readonly species: Species;
  readonly hash: string;
  readonly facts: RoomInfo['checkpoint'];
  readonly previews: SeedPreviews;
}

/** What rooms are grown from, and what pages are told of it. */
export async function prepareCheckpoint(
  checkpoint: Checkpoint,
  engine: Engine,
  newPatch: () => PatchId,
  clock: Clock,
): Promise<LoadedCheckpoint> {
  const { card } = checkpoint;
  const map = await loadMap(checkpoint);
  const species = speciesOf(checkpoint, map);
  const seeds = openSeedPreviews(checkpoint, { species, engine, newPatch, clock });
  const facts = {
    name: card.name,
    title: card.title,
    side: card.side,
    latentSize: card.latentSize,
    growthTicks: species.schedule.length,
    gallery: card.gallery.map(({ name, kind }) => ({ name, kind })),
    sheet: { url: galleryUrl(card.name), columns: GALLERY_COLUMNS },
    ...(map && { map: mapUrl(card.name) }),
    ...(seeds.draws && { draws: seeds.draws }),
  };
  return { species, hash: fingerprint(checkpoint), facts, previews: seeds };
}
