/** What latents grow into, stepped as a room steps them. */
import { createEngine } from '../../server/engine/create-engine.ts';
import type { Readout } from '../../server/engine/engine.ts';
import { speciesOf } from '../../server/rooms/loaded-checkpoint.ts';
import { shownCells } from '../../server/training/gallery/draw-gallery.ts';
import type { Checkpoint } from '../../server/vnca/checkpoint.ts';
import { bounded } from '../../server/vnca/genome.ts';
import { growthStep } from '../../server/world/species.ts';

/** Pictures of one organism, [side, side, 4] premultiplied RGBA, 0…255. */
export interface GrownPictures {
  readonly grown: Uint8Array;
  /** After more steps. */
  readonly later: Uint8Array;
}

/**
 * Grows latents, within the checkpoint's bounds as seeds in a hand are.
 *
 * @param latents [Z] each
 * @param more steps after the last of growth
 */
export async function growPictures(
  checkpoint: Checkpoint,
  latents: readonly Float32Array[],
  more: number,
): Promise<GrownPictures[]> {
  const species = speciesOf(checkpoint);
  const engine = await createEngine({ checkpoints: [checkpoint] });
  try {
    await engine.plant(
      latents.map((latent, patch) => ({
        ...{ patch, checkpoint: species.checkpoint },
        latent: bounded(latent, species.latentBounds),
      })),
    );
    /** Steps all organisms from one age to another. */
    const pictures = async (from: number, to: number): Promise<Uint8Array[]> => {
      let readouts: readonly Readout[] = [];
      for (let age = from; age < to; age++) {
        const { divide } = growthStep(species, age);
        readouts = await engine.step(latents.map((_, patch) => ({ patch, divide })));
      }
      return readouts.map((readout) => shownCells(readout, checkpoint.card.presence));
    };
    const steps = species.schedule.length;
    const grown = await pictures(0, steps);
    const later = await pictures(steps, steps + more);
    return grown.map((picture, i) => ({ grown: picture, later: later[i] }));
  } finally {
    await engine.close();
  }
}
