/**
 * Measures how well grown organisms keep their picture, rest and heal, and which image they
 * resemble. Other files draw and write. Start reading at `measureOrganisms`; each other function
 * measures one thing.
 */
import { createRandom } from '../../../shared/random.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { rowsOf, someOf } from '../run/run-state.ts';
import type { Images } from './bounds.ts';
import { differences, type Likeness, likenesses, mean, picturesOf } from './compare-pictures.ts';
import { type EvaluationBatch, type Grown, type Tools, workOf } from './evaluation-batch.ts';
import { measureHealing, shareOf } from './wound-recovery.ts';

/**
 * Default numbers of steps after growth at which organisms are compared with their grown picture.
 */
export const STAY_STEPS = [100, 1000, 10_000];

type OrganismFigures = Awaited<ReturnType<typeof measureOrganisms>>;

/**
 * Grows organisms of the gallery, then ages and damages them.
 *
 * @param images images of the gallery's entries, or undefined if unknown
 * @param organisms maximum number, or 0 for all
 * @param steps numbers of steps after growth, ascending
 */
export async function measureOrganisms(
  model: Model,
  images: Images | undefined,
  { organisms, steps }: { readonly organisms: number; readonly steps: readonly number[] },
  tools: Tools,
) {
  const { batch, measure, notes } = tools;
  const { card } = model;
  const { latents, chosen } = chooseLatents(model, organisms, notes);
  const count = latents.length / card.latentSize;
  const work = (each: number): number => workOf(count, card.side ** 2 * each);
  const states = await measure('growing', workOf(count, batch.growthWork), () =>
    batch.grow(latents),
  );
  const grown: Grown = { latents, states, count };
  const stay = await measure('staying', work(steps[steps.length - 1]), () =>
    measureStay(batch, grown, steps),
  );
  const cycles = await measure('resting', work(REST[1]), () => measureCycles(batch, grown));

  const own = images && chosen && { images, chosen };
  if (chosen && !images) {
    notes.push(
      'retrieval and error of the gallery were not measured: the images do not belong to the gallery',
    );
  }
  /**
   * Counts the organisms, from index `first` on, that resemble their own image most. Returns NaN if
   * the images are unknown.
   */
  const retrieved = (of: Float32Array, first: number): number => {
    if (!own) return Number.NaN;
    const indices = own.chosen.slice(first, first + of.length / batch.patchSize);
    const { pixels, count: all } = own.images;
    return areRetrieved(picturesOf(card, of), indices, pixels, all).filter(Boolean).length;
  };
  const { healed, ...recoveries } = await measureHealing(grown, tools, retrieved);

  const ownPixels =
    own && rowsOf(own.images.pixels, own.chosen, own.images.pixels.length / own.images.count);
  return {
    grown,
    /** Mean squared difference between organisms and their own images, or null if unknown. */
    mse: ownPixels ? mean(differences(picturesOf(card, states), ownPixels, count)) : null,
    figures: {
      /** For each number of steps after growth, the likeness to the grown picture. */
      stay,
      ...recoveries,
      /**
       * Share of organisms that look more like their own image than like any other of the gallery:
       * when grown, and 32 steps after the wounds of `heal` and `closing` and after `erased`.
       */
      retrieval: { organisms: count, grown: shareOf(retrieved(states, 0), count), healed },
      /** Share of organisms in which some cell still moves when it should rest. */
      cycles: cycles as number | null,
    },
  };
}

/** The figures of a model without cells. */
export const NO_ORGANISMS: OrganismFigures = {
  grown: { latents: new Float32Array(0), states: new Float32Array(0), count: 0 },
  mse: null,
  figures: {
    ...{ stay: {}, heal: {}, closing: {}, healFromRim: {}, discLeft: {} },
    ...{ erased: {}, retrieval: { organisms: 0, grown: null, healed: {} }, cycles: null },
  },
};

/** Chooses latents evenly from the gallery or, if the gallery is empty, samples the prior. */
function chooseLatents(
  { card, tensors }: Model,
  wanted: number,
  notes: string[],
): { readonly latents: Float32Array; readonly chosen?: readonly number[] } {
  const z = card.latentSize;
  const all = card.gallery.length;
  if (all === 0) {
    notes.push(
      'the gallery is empty, so organisms were drawn from the prior and have no images of their own',
    );
    return { latents: createRandom(1).latent((wanted || 64) * z) };
  }
  const chosen = someOf(all, wanted);
  const { length: count } = chosen;
  if (count < all) notes.push(`staying and healing of ${count} of ${all} organisms of the gallery`);
  return { latents: rowsOf(tensors.get('gallery.latents')!.data, chosen, z), chosen };
}

/**
 * Finds the organisms whose own image is the nearest of all images.
 *
 * @param pictures pictures of the organisms, [N, …], 0…1
 * @param own index of each organism's own image, [N]
 * @param images [M, …]
 * @param count M
 * @returns whether the own image is the nearest, [N]
 */
export function areRetrieved(
  pictures: Float32Array,
  own: ArrayLike<number>,
  images: Float32Array,
  count: number,
): boolean[] {
  const size = images.length / count;
  return Array.from({ length: own.length }, (_, n) => {
    const picture = pictures.subarray(n * size, (n + 1) * size);
    /**
     * Returns the sum of squared differences. Stops early at the limit, because a larger sum need
     * not be exact.
     */
    const distance = (m: number, limit: number): number => {
      let sum = 0;
      for (let i = 0; i < size && sum < limit; i++) sum += (picture[i] - images[m * size + i]) ** 2;
      return sum;
    };
    const limit = distance(own[n], Infinity);
    for (let m = 0; m < count; m++) {
      if (m !== own[n] && distance(m, limit) < limit) return false;
    }
    return true;
  });
}

/**
 * Measures how far undisturbed organisms drift from their grown picture.
 *
 * @param steps ascending
 * @returns for each number of steps: the likeness, and the share of organisms whose states are all
 * finite
 */
export async function measureStay(
  batch: EvaluationBatch,
  grown: Grown,
  steps: readonly number[],
): Promise<Record<string, Likeness & { readonly finite: number }>> {
  const finite: Record<string, number> = {};
  const seen = await likenesses(batch, grown, grown, steps, (at, states) => {
    finite[at] = (finite[at] ?? 0) + countFinite(states, batch.patchSize);
  });
  return Object.fromEntries(
    Object.entries(seen).map(([at, one]) => [at, { ...one, finite: finite[at] / grown.count }]),
  );
}

/** First and last step after growth of the period in which an organism at rest must not move. */
const REST = [200, 232] as const;
/** Minimum change of a cell's colour, of 255, that counts as moving. */
const MOVES = 3;

/**
 * Measures the share of organisms that do not come to rest, that is, in which some cell's colour
 * varies by 3 of 255 or more between steps 200 and 232 after growth.
 */
export async function measureCycles(batch: EvaluationBatch, grown: Grown): Promise<number> {
  const movements = await measureMovements(batch, grown);
  return movements.filter((movement) => movement >= MOVES).length / grown.count;
}

/**
 * Measures the largest change of a cell's colour between steps 200 and 232 after growth.
 *
 * @returns [N], 0…255
 */
export async function measureMovements(
  batch: EvaluationBatch,
  grown: Grown,
): Promise<readonly number[]> {
  const [from, to] = REST;
  const marks = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const size = picturesOf(batch.card, grown.states).length / grown.count;
  const lowest = new Float32Array(grown.count * size).fill(Infinity);
  const highest = new Float32Array(grown.count * size).fill(-Infinity);
  await batch.follow(grown, marks, (_, states, first) => {
    picturesOf(batch.card, states).forEach((value, i) => {
      const at = first * size + i;
      if (value < lowest[at]) lowest[at] = value;
      if (value > highest[at]) highest[at] = value;
    });
  });
  return Array.from({ length: grown.count }, (_, n) => {
    let largest = 0;
    for (let i = n * size; i < (n + 1) * size; i++) {
      largest = Math.max(largest, Math.fround(highest[i] - lowest[i]));
    }
    return Math.round(255 * largest);
  });
}

function countFinite(states: Float32Array, size: number): number {
  let count = 0;
  for (let at = 0; at < states.length; at += size) {
    if (states.subarray(at, at + size).every(Number.isFinite)) count++;
  }
  return count;
}
