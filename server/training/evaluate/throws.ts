/** Measures throws of the dice: how many look like a picture of the gallery, and whether they hold. */
import { fileURLToPath } from 'node:url';
import type { Random } from '../../../shared/random.ts';
import type { Compute } from '../../autodiff/compute.ts';
import { galleryLatent, loadModel, type Model } from '../../vnca/checkpoint.ts';
import { boundsOf } from '../../vnca/genome.ts';
import { thrownLatent } from '../../world/species.ts';
import type { Images } from './bounds.ts';
import { precisionAndRecall, type Tools } from './image-figures.ts';
import { measureStay } from './persistence.ts';
import { picturesOf } from './picture.ts';
import { openPosteriors } from './posteriors.ts';

/** Steps after which a throw that holds still has its picture. */
export const HELD_AFTER = 100;
/** Trained by `npm run train -- server/training/configs/emoji-features.json`. */
const FEATURES = fileURLToPath(new URL('./emoji-features', import.meta.url));
/** Fewer have no neighbourhoods. */
const FEWEST = 4;

/** Latents of throws, as the dice of a room give them for random numbers: [N, Z]. */
export function throwLatents(model: Model, count: number, random: Random): Float32Array {
  const { latentSize, sampler } = model.card;
  const gallery = model.card.gallery.map((entry, i) => ({
    ...entry,
    latent: galleryLatent(model, i),
  }));
  const latentBounds = boundsOf(
    gallery.map(({ latent }) => latent),
    latentSize,
  );
  const species = { gallery, latentSize, sampler, latentBounds };
  const latents = new Float32Array(count * latentSize);
  for (let at = 0; at < latents.length; at += latentSize) {
    latents.set(thrownLatent(species, random.integer(2 ** 32)), at);
  }
  return latents;
}

/**
 * Measures throws.
 *
 * @param latents [N, Z]
 * @param gallery pictures to compare with; undefined: only whether throws hold
 */
export async function measureThrows(
  { compute, batch, notes }: Pick<Tools, 'compute' | 'batch' | 'notes'>,
  latents: Float32Array,
  gallery: Images | undefined,
) {
  const { card } = batch;
  const count = latents.length / card.latentSize;
  const grown = { latents, states: await batch.grow(latents), count };
  const stay = await measureStay(batch, grown, [HELD_AFTER]);
  const pixels = picturesOf(card, grown.states);
  const likeness =
    gallery && Math.min(gallery.count, count) >= FEWEST
      ? await compareFeatures(compute, gallery, { pixels, count })
      : undefined;
  if (!likeness) {
    const needed = `the pictures of the gallery as RGBA of 32×32, ${FEWEST} of them and of throws`;
    notes.push(`no precision and recall: they need ${needed}`);
  }
  return {
    /** Share within the manifold of the gallery's pictures; null: not comparable. */
    precision: likeness?.precision ?? null,
    /** Share of the gallery's pictures within the manifold of the throws. */
    recall: likeness?.recall ?? null,
    /** Share that looks the same after 100 more steps. */
    hold: stay[HELD_AFTER].share,
    throws: count,
    /** Pictures of the gallery that throws are compared with. */
    pictures: likeness ? gallery!.count : 0,
  };
}

/** Undefined for pictures that the net of the features does not take. */
async function compareFeatures(compute: Compute, real: Images, made: Images) {
  const net = await loadModel(FEATURES);
  const { side, latentSize } = net.card;
  if (real.pixels.length / real.count !== side * side * 4) return undefined;
  const posteriors = await openPosteriors(compute, net);
  const [ofReal, ofMade] = [
    await posteriors.encode(real.pixels, real.count),
    await posteriors.encode(made.pixels, made.count),
  ];
  await posteriors.dispose();
  return precisionAndRecall(ofReal.mean, ofMade.mean, latentSize);
}
