/** Draws the gallery of a checkpoint: every latent, grown. */
import { PNG } from 'pngjs';
import { createEngine } from '../../engine/create-engine.ts';
import type { Engine, Readout } from '../../engine/engine.ts';
import { galleryLatent, type Model } from '../../vnca/checkpoint.ts';
import { gallerySheet } from '../../vnca/gallery.ts';
import { growthSchedule } from '../../vnca/growth.ts';

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
function drawTile(sheet: PNG, readout: Readout, threshold: number, x: number, y: number): void {
  const { rgba, presence, stage } = readout;
  for (let j = 0; j < stage; j++) {
    for (let i = 0; i < stage; i++) {
      const from = 4 * (j * stage + i);
      const to = 4 * ((y + j) * sheet.width + x + i);
      if (presence[j * stage + i] < threshold * 255) continue;
      const alpha = rgba[from + 3];
      for (let c = 0; c < 3; c++) {
        const straight = alpha === 0 ? 0 : Math.round((rgba[from + c] * 255) / alpha);
        sheet.data[to + c] = Math.min(255, straight);
      }
      sheet.data[to + 3] = alpha;
    }
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
        drawTile(sheet, readout, threshold, column * layout.tile, row * layout.tile);
      }
    }
  } finally {
    await engine.close();
  }
  return PNG.sync.write(sheet, { deflateLevel: 9 });
}
