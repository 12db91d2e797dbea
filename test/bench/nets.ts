/** The nets that benches step. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { galleryLatent, loadModel, type Model } from '../../server/vnca/checkpoint.ts';

const SHIPPED = fileURLToPath(new URL('../../checkpoints', import.meta.url));

/**
 * @param folder one checkpoint's; absent: all that are shipped
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

/** The latent of a bench's patch i: the gallery's, over and over. */
export const latentOf = (model: Model, i: number): Float32Array =>
  galleryLatent(model, i % model.card.gallery.length);
