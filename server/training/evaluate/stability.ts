/**
 * Measures how well grown organisms keep their pictures and come to rest. For healing, see
 * `recovery.ts`. Start reading at `measureOrganisms`.
 */
import { createRandom } from '../../../shared/random.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { LATENTS, rowsOf, someOf } from '../run/run-state.ts';
import { differences, likenesses, mean, picturesOf } from './compare-pictures.ts';
import type { EvaluationBatch, Grown, Tools } from './evaluation-batch.ts';
import type { Images } from './images.ts';
import { measureHealing } from './recovery.ts';

/**
 * Default numbers of steps after growth at which organisms are compared with their pictures at the
 * end of growth.
 */
export const STAY_STEPS = [100, 1000, 10_000];

type OrganismFigures = Awaited<ReturnType<typeof measureOrganisms>>;

/**
 * Grows organisms of the gallery, and measures how well they keep their pictures and recover from
 * wounds.
 *
 * @param images training images of the gallery's entries; undefined if unknown
 * @param wanted.organisms maximum number of organisms, or 0 for all
 * @param wanted.steps numbers of steps after growth, ascending
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
  const states = await measure('growing', () => batch.grow(latents));
  const grown: Grown = { latents, states, count };
  const stay = await measure('staying', () => likenesses(batch, grown, grown, steps));
  const cycles = await measure('resting', () => measureCycles(batch, grown));
  if (chosen && !images) {
    notes.push(
      'organisms of the gallery were not compared with images, because the data set cannot be used or is not the one from which the gallery was made',
    );
  }
  const own =
    chosen && images && rowsOf(images.pixels, chosen, images.pixels.length / images.count);
  return {
    grown,
    /** Mean squared difference between organisms and their training images; null without images. */
    mse: own ? mean(differences(picturesOf(card, states), own, count)) : null,
    figures: {
      /**
       * Likeness of organisms to their pictures at the end of growth, by number of further steps.
       */
      stay,
      ...(await measureHealing(grown, tools)),
      /** Share of organisms that do not come to rest; see `measureCycles`. */
      cycles: cycles as number | null,
    },
  };
}

/** Empty figures, for a model without cells. */
export const NO_ORGANISMS: OrganismFigures = {
  grown: { latents: new Float32Array(0), states: new Float32Array(0), count: 0 },
  mse: null,
  figures: {
    ...{ stay: {}, heal: {}, closing: {}, healFromRim: {}, discLeft: {}, erased: {} },
    cycles: null,
  },
};

/**
 * Chooses latents spread evenly over the gallery. If the gallery is empty, samples latents from the
 * prior.
 */
function chooseLatents(
  { card, tensors }: Model,
  wanted: number,
  notes: string[],
): { readonly latents: Float32Array; readonly chosen?: readonly number[] } {
  const z = card.latentSize;
  const all = card.gallery.length;
  if (all === 0) {
    notes.push(
      'the gallery is empty, so organisms grew from random seeds, for which there are no training images to compare with',
    );
    return { latents: createRandom(1).latent((wanted || 64) * z) };
  }
  const chosen = someOf(all, wanted);
  const { length: count } = chosen;
  if (count < all)
    notes.push(
      `stability and healing were measured on ${count} of the ${all} organisms of the gallery`,
    );
  return { latents: rowsOf(tensors.get(LATENTS)!.data, chosen, z), chosen };
}

/**
 * The colours of an organism at rest must not change between these two steps, counted from the end
 * of growth.
 */
const REST = [200, 232] as const;
/** Minimum variation of a cell's colour (0…255) that counts as movement. */
const MOVES = 3;

/**
 * Measures the share of organisms that do not come to rest: the colour of at least one cell varies
 * by 3 (of 255) or more between steps 200 and 232 after growth.
 */
export async function measureCycles(batch: EvaluationBatch, grown: Grown): Promise<number> {
  const movements = await measureMovements(batch, grown);
  return movements.filter((movement) => movement >= MOVES).length / grown.count;
}

/**
 * Measures by how much the colours of each organism vary between steps 200 and 232 after growth.
 *
 * @returns [N] for each organism, the variation of the cell that varies most, 0…255
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
