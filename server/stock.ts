/** What rooms are grown from: a checkpoint with what was made of it. */

import type { Engine, PatchId } from './engine/engine.ts';
import { galleryUrl, mapUrl } from './http/urls.ts';
import type { RoomFacts } from './net/member.ts';
import { openSeedWorks, type SeedWorks } from './nursery/open.ts';
import type { Clock } from './platform/clock.ts';
import { speciesOf } from './species.ts';
import { fingerprint } from './store/fingerprint.ts';
import type { Checkpoint } from './vnca/checkpoint.ts';
import { GALLERY_COLUMNS } from './vnca/gallery.ts';
import { loadMap } from './vnca/latentMap.ts';
import type { Species } from './world/species.ts';

/** What rooms can be grown from. */
export interface Stock {
  readonly species: Species;
  readonly hash: string;
  readonly facts: RoomFacts['checkpoint'];
  readonly seeds: SeedWorks;
}

/** What rooms are grown from, and what pages are told of it. */
export async function stockOf(
  checkpoint: Checkpoint,
  engine: Engine,
  newPatch: () => PatchId,
  clock: Clock,
): Promise<Stock> {
  const { card } = checkpoint;
  const map = await loadMap(checkpoint);
  const species = speciesOf(checkpoint, map);
  const seeds = openSeedWorks(checkpoint, { species, engine, newPatch, clock });
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
  return { species, hash: fingerprint(checkpoint), facts, seeds };
}
