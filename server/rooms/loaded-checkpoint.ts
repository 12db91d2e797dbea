/**
 * Prepares a loaded checkpoint for rooms: its species, its previews, and the facts that pages need.
 * Start at `prepareCheckpoint`.
 */

import { setImmediate } from 'node:timers/promises';
import { type PainterNet, parsePainter } from '../../shared/painter/net.ts';
import { inSlices } from '../../shared/painter/still.ts';
import { paintThumbnail } from '../../shared/painter/thumbnail.ts';
import type { Engine, PatchId } from '../engine/engine.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import {
  type GrowthFilm,
  grownOf,
  openSeedPreviews,
  type SeedPreviews,
} from '../previews/growth-previews.ts';
import type { RoomInfo } from '../realtime/sessions/room-client.ts';
import { growthSchedule } from '../vnca/architecture.ts';
import { fingerprint, galleryLatent, identityOf, painterPath } from '../vnca/checkpoint.ts';
import { GALLERY_COLUMNS, loadGalleryLooks, selectGallery } from '../vnca/gallery.ts';
import { loadMaps } from '../vnca/gallery-map.ts';
import { boundsOf } from '../vnca/genome.ts';
import { loadRelatives } from '../vnca/relatives.ts';
import type { Species } from '../world/species.ts';
import type { NamedCheckpoint } from './kept-checkpoints.ts';

/** Collects the properties that a room needs from a checkpoint. */
export function speciesOf(
  checkpoint: NamedCheckpoint,
  more: Pick<Species, 'bodies' | 'colours' | 'featured' | 'map' | 'wholeMap' | 'relatives'> = {},
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

/** A checkpoint that rooms can use. */
export interface LoadedCheckpoint {
  readonly species: Species;
  /** The checkpoint's fingerprint, as returned by `fingerprint`. */
  readonly hash: string;
  /** Facts sent to clients in the welcome message. */
  readonly facts: RoomInfo['checkpoint'];
  readonly previews: SeedPreviews;
  readonly painter?: PainterNet;
}

/** Pixels of a thumbnail per cell, and how long painting blocks the rooms, in ms. */
const SCALE = 4;
const SLICE = 4;

/** Draws the grown organism of a film as a square PNG, painted if there is a painter. */
export async function thumbnailOf(
  film: GrowthFilm,
  { painter: net }: Pick<LoadedCheckpoint, 'painter'>,
): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  const { side } = film;
  const cells = await grownOf(film);
  const slices = { slice: SLICE, now: () => performance.now(), pause: () => setImmediate() };
  const pixels =
    net && (await inSlices(paintThumbnail({ cells, side, net, scale: SCALE }), slices));
  const size = net ? SCALE * side : side;
  return sharp(pixels ?? cells, { raw: { width: size, height: size, channels: 4 } })
    .png()
    .toBuffer();
}

/** Prepares a checkpoint for rooms. @throws the error from reading its latent map or relatives */
export async function prepareCheckpoint(
  checkpoint: NamedCheckpoint,
  tools: {
    readonly engine: Engine;
    readonly newPatch: () => PatchId;
    readonly clock: Clock;
    readonly log: Log;
  },
): Promise<LoadedCheckpoint> {
  const { card } = checkpoint;
  const latents = card.gallery.map((_, i) => galleryLatent(checkpoint, i));
  const { featured, unsuitable } = selectGallery(card.gallery, latents);
  const maps = await loadMaps(checkpoint, featured, !checkpoint.hasBadMap);
  const relatives = await loadRelatives(checkpoint);
  const looks = await loadGalleryLooks(checkpoint);
  const species = speciesOf(checkpoint, {
    featured,
    ...maps,
    ...(relatives && { relatives }),
    ...looks,
  });
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
    ...(species.hasStandingInput && { transforms: true }),
    ...(previews.draws && { draws: previews.draws }),
    ...(checkpoint.painter && { painter: painterPath(checkpoint.painter) }),
  };
  const painter = checkpoint.painter && parsePainter(checkpoint.painter);
  return { species, hash: fingerprint(checkpoint), facts, previews, ...(painter && { painter }) };
}
