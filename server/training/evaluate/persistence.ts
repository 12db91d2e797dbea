/** How a grown organism holds and heals, in numbers. */
import type { Random } from '../../../shared/random.ts';
import { applyWound, woundOfShare } from '../wounds.ts';
import type { EvaluationBatch } from './evaluation-batch.ts';
import { differences, type Likeness, likeness, picturesOf } from './picture.ts';

/** Steps after a wound at which healing is looked at; 0: right after. */
export const HEALING_STEPS = [0, 4, 8, 16, 32, 64] as const;

export type Stay = Record<string, Likeness & { readonly finite: number }>;
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
 * How far organisms drift from what they were when grown, without being touched.
 *
 * @param steps ascending
 * @param saw is shown the states at each of them, batch by batch
 * @returns by steps: likeness to the grown picture, and the share of organisms whose states are all finite
 */
export async function measureStay(
  batch: EvaluationBatch,
  grown: Grown,
  steps: readonly number[],
  saw: (at: number, states: Float32Array, first: number) => void = () => {},
): Promise<Stay> {
  const before = picturesOf(batch.card, grown.states);
  const errors = errorsBy(steps, grown.count);
  const finite = new Map(steps.map((at) => [at, 0]));
  await batch.follow(grown.latents, grown.states, steps, (at, states, first) => {
    record(batch, before, states, first, errors.get(at)!);
    finite.set(at, finite.get(at)! + countFinite(states, batch.patchSize));
    saw(at, states, first);
  });
  return Object.fromEntries(
    steps.map((at) => [
      `${at}`,
      { ...likeness(errors.get(at)!), finite: finite.get(at)! / grown.count },
    ]),
  );
}

/**
 * How organisms come back to what they were after losing a share of their cells: half of them to a straight cut, half to
 * a disc, in turn by chance.
 *
 * @param shares of all cells of a patch, 0…1
 * @param saw is shown the states at each step after each wound, batch by batch
 * @returns by share, by steps after the wound: likeness to the unwounded picture
 */
export async function measureHeal(
  batch: EvaluationBatch,
  grown: Grown,
  shares: readonly number[],
  random: Random,
  saw: (share: number, at: number, states: Float32Array, first: number) => void = () => {},
): Promise<Heal> {
  const { side, channels } = batch.card;
  const before = picturesOf(batch.card, grown.states);
  const result: Heal = {};
  for (const share of shares) {
    const wounded = grown.states.slice();
    for (let n = 0; n < grown.count; n++) {
      const own = wounded.subarray(n * batch.patchSize, (n + 1) * batch.patchSize);
      applyWound(own, woundOfShare(random, side, share), channels);
    }
    const errors = errorsBy(HEALING_STEPS, grown.count);
    await batch.follow(grown.latents, wounded, HEALING_STEPS, (at, states, first) => {
      record(batch, before, states, first, errors.get(at)!);
      saw(share, at, states, first);
    });
    result[`${share}`] = Object.fromEntries(
      HEALING_STEPS.map((at) => [`${at}`, likeness(errors.get(at)!)]),
    );
  }
  return result;
}

/** By how many times √Z the latents of `measureRobustness` are long; the prior's are about 1. */
export const RADII = [1, 1.5, 2, 3] as const;

export type Robustness = Record<string, { readonly finite: number; readonly largest: number }>;

/**
 * What becomes of latents far out: grown, and after some more steps.
 *
 * @param each organisms for each radius
 * @param steps after growing
 * @returns by radius in √Z: share of organisms that are all finite numbers, and the largest number in a state
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

const errorsBy = (marks: readonly number[], count: number): Map<number, Float32Array> =>
  new Map(marks.map((at) => [at, new Float32Array(count)]));

function record(
  batch: EvaluationBatch,
  before: Float32Array,
  states: Float32Array,
  first: number,
  errors: Float32Array,
): void {
  const count = states.length / batch.patchSize;
  const now = picturesOf(batch.card, states);
  const size = now.length / count;
  const then = before.subarray(first * size, (first + count) * size);
  errors.set(differences(now, then, count), first);
}

function countFinite(states: Float32Array, size: number): number {
  let count = 0;
  for (let at = 0; at < states.length; at += size) {
    if (states.subarray(at, at + size).every(Number.isFinite)) count++;
  }
  return count;
}
