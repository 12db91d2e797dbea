/** The nets that benches step, and grown patches in an engine, as rooms have them. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Engine, PatchId } from '../../server/engine/engine.ts';
import { growthSchedule } from '../../server/vnca/architecture.ts';
import { galleryLatent, loadModel, type Model } from '../../server/vnca/checkpoint.ts';

const SHIPPED = fileURLToPath(new URL('../../checkpoints', import.meta.url));

/**
 * @param folder one checkpoint's; if absent, all shipped ones
 * @throws CheckpointError
 */
export async function loadNets(folder?: string): Promise<Model[]> {
  const folders =
    folder === undefined
      ? (await readdir(SHIPPED, { withFileTypes: true }))
          .filter((entry) => entry.isDirectory())
          .map(({ name }) => join(SHIPPED, name))
          .sort()
      : [folder];
  return Promise.all(folders.map((at) => loadModel(at)));
}

/** Returns the latent of patch i. Patches take the gallery's latents in turn. */
export const latentOf = (model: Model, i: number): Float32Array =>
  galleryLatent(model, i % model.card.gallery.length);

/** Number of patches that are grown. All other patches begin as copies of them. */
export const STOCK = 8;
/** Number of states per message, to keep messages small. */
const SENT = 32;

export class Patches {
  private planted = 0;

  private constructor(
    private readonly engine: Engine,
    private readonly model: Model,
    /** [side, side, C] each. */
    readonly checkpoints: readonly Float32Array[],
  ) {}

  /** Grows the stock. */
  static async grow(engine: Engine, model: Model): Promise<Patches> {
    const ids = Array.from({ length: STOCK }, (_, patch) => patch);
    await plant(engine, model, ids);
    for (const { divide } of growthSchedule(model.card)) {
      await engine.step(ids.map((patch) => ({ patch, divide })));
    }
    const checkpoints = await engine.exportStates(ids);
    await engine.dispose(ids);
    return new Patches(engine, model, checkpoints);
  }

  /** Resets patches 0…count−1 to their states at the end of growth. */
  async renew(count: number): Promise<void> {
    const ids = Array.from({ length: count }, (_, patch) => patch);
    await plant(this.engine, this.model, ids.slice(this.planted));
    this.planted = Math.max(this.planted, count);
    for (let from = 0; from < count; from += SENT) {
      const some = ids.slice(from, from + SENT);
      await this.engine.importStates(
        some.map((patch) => ({ patch, state: this.checkpoints[patch % STOCK] })),
      );
    }
  }

  /**
   * Measures a step of patches, after a first step that is not counted.
   *
   * @returns mean duration of `times` steps, in ms
   */
  async time(ids: readonly PatchId[], times: number): Promise<number> {
    const steps = ids.map((patch) => ({ patch, divide: false }));
    await this.engine.step(steps);
    const start = performance.now();
    for (let i = 0; i < times; i++) await this.engine.step(steps);
    return (performance.now() - start) / times;
  }
}

function plant(engine: Engine, model: Model, ids: readonly PatchId[]): Promise<void> {
  const checkpoint = model.card.name;
  return engine.plant(
    ids.map((patch) => ({ patch, checkpoint, latent: latentOf(model, patch % STOCK) })),
  );
}
