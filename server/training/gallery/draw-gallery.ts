/** Draws the gallery of a checkpoint: every latent, grown. */
import { PNG } from 'pngjs';
import { createEngine } from '../../engine/create-engine.ts';
import type { Engine, Readout } from '../../engine/engine.ts';
import { growthSchedule } from '../../vnca/architecture.ts';
import { galleryLatent, type Model } from '../../vnca/checkpoint.ts';
import { gallerySheet } from '../../vnca/gallery.ts';
import { straight } from '../pictures/sheet.ts';

/** Patches grown at once; bounds memory. */
const BATCH = 64;

/** Grows gallery entries [from, to) and returns their last read-outs. */
async function grow(engine: Engine, model: Model, from: number, to: number): Promise<Readout[]> {
  const ids = Array.from({ length: to - from }, (_, i) => from + i);
  const checkpoint = model.card.name;
  await engine.plant(
    ids.map((patch) => ({ patch, checkpoint, latent: galleryLatent(model, patch) })),
  );
  let readouts: Readout[] = [];
  for (const { divide } of growthSchedule(model.card)) {
    readouts = await engine.step(ids.map((patch) => ({ patch, divide })));
  }
  await engine.dispose(ids);
  return readouts;
}

/**
 * Copies a premultiplied tile into the sheet with straight alpha, as PNG requires. Cells below the
 * card's presence threshold are left out, as in a room.
 */
function drawTile(sheet: PNG, readout: Readout, threshold: number, at: [number, number]): void {
  const { rgba, presence, stage } = readout;
  const shown = rgba.map((value, i) => (presence[i >> 2] < threshold * 255 ? 0 : value));
  const tile = straight(shown);
  const [x, y] = at;
  for (let j = 0; j < stage; j++) {
    const row = tile.subarray(4 * j * stage, 4 * (j + 1) * stage);
    sheet.data.set(row, 4 * ((y + j) * sheet.width + x));
  }
}

/**
 * Draws the PNG file `gallery.png` of a checkpoint: tiles in the order of the card, placed as in
 * `gallerySheet`.
 */
export async function drawGallery(model: Model): Promise<Uint8Array> {
  const layout = gallerySheet(model.card);
  const sheet = new PNG({ width: layout.width, height: layout.height });
  sheet.data.fill(0);
  const engine = await createEngine({ checkpoints: [model] });
  try {
    const { threshold } = model.card.presence;
    const count = model.card.gallery.length;
    for (let from = 0; from < count; from += BATCH) {
      for (const readout of await grow(engine, model, from, Math.min(count, from + BATCH))) {
        const column = readout.patch % layout.columns;
        const row = Math.floor(readout.patch / layout.columns);
        drawTile(sheet, readout, threshold, [column * layout.tile, row * layout.tile]);
      }
    }
  } finally {
    await engine.close();
  }
  return PNG.sync.write(sheet, { deflateLevel: 9 });
}
