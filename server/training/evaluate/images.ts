/**
 * Measures images: likelihood, reconstruction, unseen pictures, throws of the dice (organisms with
 * random latents). Only throws take further steps after growth. Start reading at `measureImages`.
 */
import type { Random } from '../../../shared/random.ts';
import type { Compute } from '../../autodiff/compute.ts';
import { galleryLatent, type Model } from '../../vnca/checkpoint.ts';
import { distance } from '../../vnca/gallery.ts';
import { boundsOf } from '../../vnca/genome.ts';
import { imageChannels } from '../../vnca/readout.ts';
import { thrownLatent } from '../../world/species.ts';
import { TrainingError } from '../errors.ts';
import { openPosteriors, type Posteriors } from '../model/networks.ts';
import { type Images, measureBounds } from './bounds.ts';
import { differences, edgesOf, loadFeatures, mean, picturesOf } from './compare-pictures.ts';
import { sigmaOf, type Tools, workOf } from './evaluation-batch.ts';
import { measureStay } from './organisms.ts';
import type { TestImages } from './test-images.ts';

/**
 * Measures likelihood and reconstruction error. Also returns the posterior means, [N, Z]. Returns
 * null without an encoder or images, and adds a note that says why.
 */
export async function measureImages(
  model: Model,
  judged: TestImages | TrainingError,
  samples: number,
  { compute, batch, measure, random, notes }: Tools,
) {
  const { card } = model;
  let posteriors: Posteriors;
  try {
    posteriors = await openPosteriors(compute, model);
    if (judged instanceof TrainingError) throw judged;
  } catch (error) {
    if (!(error instanceof TrainingError)) throw error;
    notes.push(`likelihood and other figures of images were not measured: ${error.message}`);
    return null;
  }
  const { pixels, count, unseen } = judged;
  notes.push(`likelihood of ${count} of ${judged.of} ${judged.split} images of "${judged.set}"`);
  if (judged.trained)
    notes.push('these images were used in training, because the set has no others');
  if (card.readout.kind === 'rgba-premultiplied') {
    notes.push(
      `nats are of the density of RGBA with noise of σ ${sigmaOf(card)}, including the constant, so there are no bits/dim`,
    );
  }
  const bounds = await measure('likelihood', workOf(count * samples, batch.growthWork), () =>
    measureBounds(batch, posteriors, judged, samples, (image) => random(`posterior ${image}`)),
  );
  const reconstruct = async (what: string, images: Images) => {
    const { mean: means } = await posteriors.encode(images.pixels, images.count);
    const growing = workOf(images.count, batch.growthWork);
    const pictures = picturesOf(card, await measure(what, growing, () => batch.grow(means)));
    return {
      means,
      pictures,
      count: images.count,
      mse: mean(differences(pictures, images.pixels, images.count)),
    };
  };
  const { means, pictures, mse } = await reconstruct('reconstruction', { pixels, count });
  const edges = [pictures, pixels].map((of) => edgesOf(of, card.side, imageChannels(card.readout)));
  if (unseen instanceof TrainingError)
    notes.push(`unseen pictures were not measured: ${unseen.message}`);
  const ofUnseen =
    unseen instanceof TrainingError ? null : await reconstruct('unseen pictures', unseen);
  await posteriors.dispose();
  return {
    ...{ bounds, mse, count, means },
    edges: edges[0] / edges[1],
    unseen: ofUnseen && { mse: ofUnseen.mse, images: ofUnseen.count },
  };
}

/**
 * The number k of Kynkäänniemi et al. 2019. A manifold consists of a ball around each of its
 * points. Each ball reaches to the point's k-th nearest neighbour.
 */
const NEIGHBOURS = 3;

/**
 * Compares two sets of pictures by precision and recall.
 *
 * @param real features of real pictures, [N, size], N > 3
 * @param made features of generated pictures, [M, size], M > 3
 * @returns `precision`: share of generated pictures within the manifold of the real ones; `recall`:
 * share of real pictures within the manifold of the generated ones
 */
export function precisionAndRecall(real: Float32Array, made: Float32Array, size: number) {
  const [ofReal, ofMade] = [real, made].map((all) =>
    Array.from({ length: all.length / size }, (_, n) => all.subarray(n * size, (n + 1) * size)),
  );
  return { precision: covered(ofMade, ofReal), recall: covered(ofReal, ofMade) };
}

/**
 * Returns the share of `points` within the manifold of `set`. A point is within the manifold if it
 * is closer to some member of the set than that member's k-th nearest neighbour in the set is.
 */
function covered(points: readonly Float32Array[], set: readonly Float32Array[]): number {
  const radii = set.map(
    (one) =>
      Float64Array.from(set, (other) => (other === one ? Infinity : distance(one, other))).sort()[
        NEIGHBOURS - 1
      ],
  );
  const isInside = (point: Float32Array): boolean =>
    set.some((one, m) => distance(point, one) <= radii[m]);
  return points.filter(isInside).length / points.length;
}

/** A throw of the dice counts as holding if it still has its picture after this number of steps. */
export const HELD_AFTER = 100;
/** Minimum number of pictures needed for neighbourhoods. */
const FEWEST = 4;

/** Draws latents as the dice of a room do, from random numbers: [N, Z]. */
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
 * Measures throws of the dice.
 *
 * @param latents [N, Z]
 * @param gallery pictures to compare with; if undefined, measures only whether throws hold
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
    const needed = `at least ${FEWEST} gallery pictures in RGBA of 32×32, and as many throws`;
    notes.push(`precision and recall were not measured: they need ${needed}`);
  }
  return {
    /** Share of throws within the manifold of the gallery's pictures, or null if not comparable. */
    precision: likeness?.precision ?? null,
    /**
     * Share of the gallery's pictures within the manifold of the throws, or null if not comparable.
     */
    recall: likeness?.recall ?? null,
    /** Share of throws that look the same after 100 more steps. */
    hold: stay[HELD_AFTER].share,
    throws: count,
    /** Number of gallery pictures that throws are compared with. */
    pictures: likeness ? gallery!.count : 0,
  };
}

/**
 * Compares two sets of pictures by their features. Returns undefined if the feature net does not
 * accept the pictures.
 */
async function compareFeatures(compute: Compute, real: Images, made: Images) {
  const net = await loadFeatures();
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
