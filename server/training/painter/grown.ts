/** What a rule grows of its gallery, as a room shows it: late stages and grown creatures. */
import { createEngine } from '../../engine/create-engine.ts';
import type { Readout } from '../../engine/engine.ts';
import { galleryLatent, type Model } from '../../vnca/checkpoint.ts';
import { growthSchedule } from '../../vnca/growth.ts';

/** Patches grown at once; bounds memory. */
const BATCH = 64;

/** Cells of a gallery creature at one moment. */
export interface GrownCells {
  readonly entry: number;
  /** Steps since the end of growth; negative before. */
  readonly age: number;
  /** [side, side, 4] premultiplied RGBA, 0…255. */
  readonly cells: Uint8Array;
}

/**
 * Grows creatures of the gallery.
 *
 * @param entries indices in the gallery
 * @param ages steps since the end of growth at which cells are taken; those before it count only
 *   once the whole patch has divided
 */
export async function growGallery(
  model: Model,
  entries: readonly number[],
  ages: readonly number[],
): Promise<GrownCells[]> {
  const { card } = model;
  const engine = await createEngine({ checkpoints: [model], threads: 1 });
  const schedule = growthSchedule(card);
  const last = Math.max(0, ...ages);
  const steps = [...schedule.map(({ divide }) => divide), ...new Array<boolean>(last).fill(false)];
  const found: GrownCells[] = [];
  try {
    for (let from = 0; from < entries.length; from += BATCH) {
      const some = entries.slice(from, from + BATCH);
      await engine.plant(
        some.map((patch) => ({
          patch,
          checkpoint: card.name,
          latent: galleryLatent(model, patch),
        })),
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
 * What a read-out shows: cells below the threshold claim no place in a room and are bare. A room
 * shows a little more, since half the threshold keeps a place that is claimed.
 *
 * @param card.threshold least presence of a living cell, 0…1
 * @returns [stage, stage, 4] premultiplied RGBA, 0…255
 */
export function shownCells(
  { rgba, presence }: Readout,
  { threshold }: { readonly threshold: number },
): Uint8Array {
  return rgba.map((value, i) => (presence[i >> 2] < threshold * 255 ? 0 : value));
}
