/** Measures organisms that grow from random latents ("throws"). Start at `measureThrows`. */
import type { Random } from '../../../shared/random.ts';
import type { Compute } from '../../autodiff/compute.ts';
import { galleryLatent, type Model } from '../../vnca/checkpoint.ts';
import { distance } from '../../vnca/gallery.ts';
import { boundsOf as latentBoundsOf } from '../../vnca/genome.ts';
import { thrownLatent } from '../../world/dice.ts';
import { openPosteriors } from '../model/networks.ts';
import { likenesses, loadFeatures, picturesOf } from './compare-pictures.ts';
import type { Tools } from './evaluation-batch.ts';
import type { Images } from './images.ts';

/**
 * Number of nearest neighbours (k in Kynkäänniemi et al. 2019). A ball around each point reaches to
 * the point's k-th nearest neighbour. The manifold of a set is the union of these balls.
 */
const NEIGHBOURS = 3;

/**
 * Compares two sets of pictures by precision and recall (Kynkäänniemi et al. 2019).
 *
 * @param real features of real pictures, [N, size], N > 3
 * @param made features of generated pictures, [M, size], M > 3
 * @param size number of features per picture
 * @returns `precision`: share of the generated pictures within the manifold of the real pictures;
 *   `recall`: share of the real pictures within the manifold of the generated pictures
 */
export function precisionAndRecall(real: Float32Array, made: Float32Array, size: number) {
  const [ofReal, ofMade] = [real, made].map((all) =>
    Array.from({ length: all.length / size }, (_, n) => all.subarray(n * size, (n + 1) * size)),
  );
  return { precision: covered(ofMade, ofReal), recall: covered(ofReal, ofMade) };
}

/** Returns the share of `points` in the manifold of `set`, a union of balls (see `NEIGHBOURS`). */
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

/** An organism is stable if it still looks the same this number of steps after growth. */
const HELD_AFTER = 100;
/** Minimum number of pictures for precision and recall: one more than `NEIGHBOURS`. */
const FEWEST = 4;

/** Draws random latents in the same way as the dice in visitors' pages. @returns [N, Z] */
export function throwLatents(model: Model, count: number, random: Random): Float32Array {
  const { latentSize, sampler } = model.card;
  const gallery = model.card.gallery.map((entry, i) => ({
    ...entry,
    latent: galleryLatent(model, i),
  }));
  const latentBounds = latentBoundsOf(
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
 * Measures organisms that grow from random latents: how similar they are to gallery pictures, and
 * whether they keep their pictures.
 *
 * @param latents random latents, [N, Z]
 * @param gallery training images of the gallery; if undefined, similarity is not measured
 */
export async function measureThrows(
  { compute, batch, notes }: Pick<Tools, 'compute' | 'batch' | 'notes'>,
  latents: Float32Array,
  gallery: Images | undefined,
) {
  const { card } = batch;
  const count = latents.length / card.latentSize;
  const grown = { latents, states: await batch.grow(latents), count };
  const stay = await likenesses(batch, grown, grown, [HELD_AFTER]);
  const pixels = picturesOf(card, grown.states);
  const likeness =
    gallery && Math.min(gallery.count, count) >= FEWEST
      ? await compareFeatures(compute, gallery, { pixels, count })
      : undefined;
  if (!likeness) {
    const needed = `at least ${FEWEST} gallery pictures of 32×32 pixels in RGBA, and at least as many organisms from random seeds (--throws)`;
    const text = `precision and recall of organisms from random seeds were not measured, because this needs ${needed}`;
    notes.push(text);
  }
  return {
    /**
     * Share of random organisms within the manifold of the gallery's pictures; null if not
     * measured. See `precisionAndRecall`.
     */
    precision: likeness?.precision ?? null,
    /**
     * Share of gallery pictures within the manifold of the random organisms; null if not measured.
     */
    recall: likeness?.recall ?? null,
    /** Share of random organisms that still look the same 100 steps after growth. */
    hold: stay[HELD_AFTER].share,
    throws: count,
    /** Number of gallery pictures compared with the random organisms. */
    pictures: likeness ? gallery!.count : 0,
  };
}

/**
 * Compares two sets of pictures by precision and recall of a net's features. Returns undefined if
 * the net cannot process pictures of this size.
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
