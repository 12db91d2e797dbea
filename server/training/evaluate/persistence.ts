/** Measures how grown organisms persist, heal, and cope with unusual latents. */
import type { Random } from '../../../shared/random.ts';
import { applyWound, woundOfShare } from '../wounds.ts';
import type { EvaluationBatch } from './evaluation-batch.ts';
import { differences, type Likeness, likeness, picturesOf } from './picture.ts';

/** Steps after damage at which healing is measured; 0: right after it. */
export const HEALING_STEPS = [0, 4, 8, 16, 32, 64] as const;

/**
 * By steps: likeness to the grown picture, and the share of organisms whose states are all finite.
 */
export type Stay = Record<string, Likeness & { readonly finite: number }>;
/** By share of damaged cells, by steps after the damage: likeness to the picture before. */
export type Heal = Record<string, Record<string, Likeness>>;

/** Organisms at the end of their growth. */
export interface Grown {
  /** [N, Z]. */
  readonly latents: Float32Array;
  /** [N, S, S, C]. */
  readonly states: Float32Array;
  readonly count: number;
}

/**
 * Measures how far undisturbed organisms drift from their grown picture.
 *
 * @param steps ascending
 */
export async function measureStay(
  batch: EvaluationBatch,
  grown: Grown,
  steps: readonly number[],
): Promise<Stay> {
  const finite: Record<string, number> = {};
  const seen = await likenesses(batch, grown, grown.states, steps, (at, states) => {
    finite[at] = (finite[at] ?? 0) + countFinite(states, batch.patchSize);
  });
  return Object.fromEntries(
    Object.entries(seen).map(([at, one]) => [at, { ...one, finite: finite[at] / grown.count }]),
  );
}

/**
 * Measures how organisms heal after losing a share of their cells, at random to a straight cut or
 * to a disc.
 *
 * @param shares of all cells of a patch, 0…1
 */
export async function measureHeal(
  batch: EvaluationBatch,
  grown: Grown,
  shares: readonly number[],
  random: Random,
): Promise<Heal> {
  const { side, channels } = batch.card;
  const result: Heal = {};
  for (const share of shares) {
    const wounded = grown.states.slice();
    for (let n = 0; n < grown.count; n++) {
      const own = wounded.subarray(n * batch.patchSize, (n + 1) * batch.patchSize);
      applyWound(own, woundOfShare(random, side, share), channels);
    }
    result[`${share}`] = await likenesses(batch, grown, wounded, HEALING_STEPS);
  }
  return result;
}

/** Norms of the latents of `measureRobustness`, in √Z; those of the prior are about 1. */
export const RADII = [1, 1.5, 2, 3] as const;

/**
 * By radius in √Z: share of organisms whose states are all finite, and the largest absolute value
 * of a state.
 */
export type Robustness = Record<string, { readonly finite: number; readonly largest: number }>;

/**
 * Measures whether latents far from the prior grow and stay bounded.
 *
 * @param each organisms per radius
 * @param steps after growth
 */
export async function measureRobustness(
  batch: EvaluationBatch,
  random: Random,
  each: number,
  steps: number,
): Promise<Robustness> {
  const { latentSize } = batch.card;
  const result: Robustness = {};
  for (const radius of RADII) {
    const latents = new Float32Array(each * latentSize);
    for (let n = 0; n < each; n++) {
      const direction = random.latent(latentSize);
      const length = Math.hypot(...direction);
      const wanted = radius * Math.sqrt(latentSize);
      latents.set(
        direction.map((x) => (x / length) * wanted),
        n * latentSize,
      );
    }
    let finite = 0;
    let largest = 0;
    const grown = await batch.grow(latents);
    await batch.follow(latents, grown, [steps], (_, states) => {
      finite += countFinite(states, batch.patchSize);
      for (const x of states) if (Math.abs(x) > largest) largest = Math.abs(x);
    });
    result[`${radius}`] = { finite: finite / each, largest };
  }
  return result;
}

/**
 * Runs organisms on and compares them with their grown pictures.
 *
 * @param start initial states
 * @param visit called with the states at each mark
 * @returns by mark
 */
async function likenesses(
  batch: EvaluationBatch,
  { latents, states: grown, count }: Grown,
  start: Float32Array,
  marks: readonly number[],
  visit?: (mark: number, states: Float32Array) => void,
): Promise<Record<string, Likeness>> {
  const before = picturesOf(batch.card, grown);
  const size = before.length / count;
  const errors = new Map(marks.map((mark) => [mark, new Float32Array(count)]));
  await batch.follow(latents, start, marks, (mark, states, first) => {
    const after = picturesOf(batch.card, states);
    const own = differences(after, before.subarray(first * size), after.length / size);
    errors.get(mark)!.set(own, first);
    visit?.(mark, states);
  });
  return Object.fromEntries([...errors].map(([mark, own]) => [`${mark}`, likeness(own)]));
}

function countFinite(states: Float32Array, size: number): number {
  let count = 0;
  for (let at = 0; at < states.length; at += size) {
    if (states.subarray(at, at + size).every(Number.isFinite)) count++;
  }
  return count;
}
