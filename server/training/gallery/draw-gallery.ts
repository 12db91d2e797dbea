/** Grows the creatures of a checkpoint's gallery as a room does, and draws them. */
import { PNG } from 'pngjs';
import type { OverlayOptions } from 'sharp';
import { parsePainter } from '../../../shared/painter/net.ts';
import { inSlices, paintThumbnail } from '../../../shared/painter/still.ts';
import { createEngine } from '../../engine/create-engine.ts';
import type { Readout } from '../../engine/engine.ts';
import { growthSchedule } from '../../vnca/architecture.ts';
import { galleryLatent, type Model } from '../../vnca/checkpoint.ts';
import { gallerySheet } from '../../vnca/gallery.ts';
import { straight } from '../pictures/sheet.ts';

/** Maximum number of patches grown together, to limit memory use. */
const BATCH = 64;

/** The cells of a gallery creature at one age. */
export interface GrownCells {
  readonly entry: number;
  /** Number of steps since the end of growth; negative during growth. */
  readonly age: number;
  /** [side, side, 4] Premultiplied RGBA, 0…255. */
  readonly cells: Uint8Array;
}

/**
 * Grows creatures of the gallery and returns their cells at given ages.
 *
 * @param entries indices of the creatures in the gallery
 * @param ages numbers of steps since the end of growth, negative during growth. Ages before the
 *   patch has its full side are ignored.
 */
export async function growGallery(
  model: Model,
  entries: readonly number[],
  ages: readonly number[],
): Promise<GrownCells[]> {
  const { card } = model;
  const schedule = growthSchedule(card);
  const last = Math.max(0, ...ages);
  const steps = [...schedule.map(({ divide }) => divide), ...new Array<boolean>(last).fill(false)];
  const found: GrownCells[] = [];
  const engine = await createEngine({ checkpoints: [model] });
  try {
    for (let from = 0; from < entries.length; from += BATCH) {
      const some = entries.slice(from, from + BATCH);
      await engine.plant(
        some.map((patch) => {
          return { patch, checkpoint: card.name, latent: galleryLatent(model, patch) };
        }),
      );
      for (const [i, divide] of steps.entries()) {
        const readouts = await engine.step(some.map((patch) => ({ patch, divide })));
        const age = i + 1 - schedule.length;
        if (!ages.includes(age)) continue;
        for (const readout of readouts) {
          if (readout.stage !== card.side) continue;
          found.push({ entry: readout.patch, age, cells: shownCells(readout, card.presence) });
        }
      }
      await engine.dispose(some);
    }
  } finally {
    await engine.close();
  }
  return found;
}

/**
 * Makes cells transparent if they are not alive.
 *
 * @param presence.threshold minimum aliveness of a living cell, 0…1
 * @returns [stage, stage, 4] premultiplied RGBA, 0…255
 */
export function shownCells(
  { rgba, presence }: Readout,
  { threshold }: { readonly threshold: number },
): Uint8Array {
  return rgba.map((value, i) => (presence[i >> 2] < threshold * 255 ? 0 : value));
}

/**
 * Draws `gallery.png`, which shows each creature of the gallery as a tile.
 *
 * @returns a PNG file
 */
export async function drawGallery(model: Model): Promise<Uint8Array> {
  const { side, gallery } = model.card;
  const { width, height, columns, tile } = gallerySheet(model.card);
  const sheet = new PNG({ width, height });
  sheet.data.fill(0);
  for (const { entry, cells } of await growGallery(model, [...gallery.keys()], [0])) {
    const rgba = straight(cells);
    const [left, top] = [(entry % columns) * tile, Math.floor(entry / columns) * tile];
    for (let y = 0; y < side; y++) {
      const row = rgba.subarray(4 * y * side, 4 * (y + 1) * side);
      sheet.data.set(row, 4 * ((top + y) * width + left));
    }
  }
  return PNG.sync.write(sheet, { deflateLevel: 9 });
}

/** Side of a cell in gallery.avif, in pixels. */
const SCALE = 3;
const QUALITY = 45;

/**
 * Draws `gallery.avif`: the creatures of `gallery.png` at a larger scale, drawn by the checkpoint's
 * painter.
 *
 * @param png content of `gallery.png`
 * @param painter content of `painter.safetensors`
 * @returns content of `gallery.avif`
 */
export async function paintGallery(
  model: Model,
  png: Buffer,
  painter: Buffer,
): Promise<Uint8Array> {
  const { card } = model;
  const { side, gallery } = card;
  const { width, height, columns } = gallerySheet(card);
  const { default: sharp } = await import('sharp');
  const net = parsePainter(painter);
  const of = (cells: number) => ({ width: cells, height: cells, channels: 4 as const });
  const tiles: OverlayOptions[] = [];
  for (const entry of gallery.keys()) {
    const [left, top] = [(entry % columns) * side, Math.floor(entry / columns) * side];
    const tile = sharp(png).extract({ left, top, ...of(side) });
    const cells = await tile.ensureAlpha().raw().toBuffer();
    const genomes = { latents: [galleryLatent(model, entry)] };
    const work = paintThumbnail({ cells, side, net, genomes, scale: SCALE });
    const pixels = await inSlices(work, { slice: Infinity, now: () => 0, pause: async () => {} });
    const raw = of(SCALE * side);
    tiles.push({ input: Buffer.from(pixels), raw, left: SCALE * left, top: SCALE * top });
  }
  const size = { width: SCALE * width, height: SCALE * height, channels: 4 as const };
  return sharp({ create: { ...size, background: '#0000' } })
    .composite(tiles)
    .avif({ quality: QUALITY, effort: 6, chromaSubsampling: '4:2:0' })
    .toBuffer();
}
