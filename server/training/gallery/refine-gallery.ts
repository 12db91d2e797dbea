/** Refines the latents of a gallery, so that each grows more like its picture. */
import type { Compute } from '../../autodiff/compute.ts';
import { openRefiner, type RefinedModel } from '../../autodiff/refine-latent.ts';

/**
 * The encoder keeps latents near each other, at the cost of the picture. In a trial, a pull of 0.01 took
 * the mean error from 0.0061 to 0.0049 and left healing as it was, but more organisms did not come to
 * rest: 9 of 52, and 23 without a pull. See TRIALS.md.
 *
 * @param model one that `canRefine`
 * @param gallery.images [G, S, S, c], 0…1
 * @param gallery.latents posterior means, [G, Z]
 * @param gallery.pull weight of the mean squared distance from these
 * @returns [G, Z]
 */
export async function refineGallery(
  compute: Compute,
  model: RefinedModel,
  gallery: { readonly images: Float32Array; readonly latents: Float32Array; readonly pull: number },
): Promise<Float32Array> {
  const { images, latents, pull } = gallery;
  const z = model.card.latentSize;
  const size = (images.length * z) / latents.length;
  const refine = await openRefiner(compute, model, () => 0);
  const refined = new Float32Array(latents.length);
  for (let i = 0; i < latents.length / z; i++) {
    const image = images.subarray(i * size, (i + 1) * size);
    const latent = latents.slice(i * z, (i + 1) * z);
    const budget = Number.POSITIVE_INFINITY;
    refined.set(await refine({ image, latent, budget, pull }), i * z);
  }
  return refined;
}
