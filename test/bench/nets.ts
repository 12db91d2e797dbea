/** The nets that benches step. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { macPerCellStep } from '../../server/vnca/architecture.ts';
import { galleryLatent, loadModel, type Model } from '../../server/vnca/checkpoint.ts';

const SHIPPED = fileURLToPath(new URL('../../checkpoints', import.meta.url));

/** A checkpoint and the folder it is from, for processes that load it again. */
export interface Net {
  readonly folder: string;
  readonly model: Model;
}

/**
 * @param folder one checkpoint's; absent: all that are shipped
 * @throws CheckpointError
 */
export async function loadNets(folder?: string): Promise<Net[]> {
  const folders =
    folder === undefined
      ? (await readdir(SHIPPED)).sort().map((name) => join(SHIPPED, name))
      : [folder];
  return Promise.all(folders.map(async (at) => ({ folder: at, model: await loadModel(at) })));
}

/** Floating point operations of one step of one cell. */
export const flopPerCell = ({ card }: Model): number => 2 * macPerCellStep(card);

/** The latent of a bench's patch i: the gallery's, over and over. */
export const latentOf = (model: Model, i: number): Float32Array =>
  galleryLatent(model, i % model.card.gallery.length);
