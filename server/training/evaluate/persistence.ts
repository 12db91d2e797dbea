/** Measures how grown organisms persist and rest, and cope with unusual latents. */
import type { Random } from '../../../shared/random.ts';
import type { EvaluationBatch, StepsStart } from './evaluation-batch.ts';
import { differences, type Likeness, likeness, picturesOf } from './picture.ts';

/**
 * By steps: likeness to the grown picture, and the share of organisms whose states are all finite.
 */
export type Stay = Record<string, Likeness & { readonly finite: number }>;

/** Organisms at the end of their growth, N. */
export interface Grown extends Pick<StepsStart, 'latents' | 'states'> {
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
  const seen = await likenesses(batch, grown, grown, steps, (at, states) => {
    finite[at] = (finite[at] ?? 0) + countFinite(states, batch.patchSize);
  });
  return Object.fromEntries(
    Object.entries(seen).map(([at, one]) => [at, { ...one, finite: finite[at] / grown.count }]),
  );
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
    await batch.follow({ latents, states: grown }, [steps], (_, states) => {
      finite += countFinite(states, batch.patchSize);
      for (const x of states) if (Math.abs(x) > largest) largest = Math.abs(x);
    });
    result[`${radius}`] = { finite: finite / each, largest };
  }
  return result;
}

/** Steps between which a cell of an organism at rest does not move. */
export const REST = [200, 232] as const;
/** A cell whose colour changes by as much, of 255, moves. */
const MOVES = 3;

/**
 * Share of organisms that do not come to rest: those with a cell whose colour takes values 3 of 255
 * or more apart between steps 200 and 232 after growth.
 */
export async function measureCycles(batch: EvaluationBatch, grown: Grown): Promise<number> {
  const movements = await measureMovements(batch, grown);
  return movements.filter((movement) => movement >= MOVES).length / grown.count;
}

/**
 * The largest change of a cell's colour between steps 200 and 232 after growth, of each organism.
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
    const cells = highest.subarray(n * size, (n + 1) * size);
    const ranges = cells.map((high, i) => high - lowest[n * size + i]);
    return Math.round(255 * ranges.reduce((largest, range) => Math.max(largest, range), 0));
  });
}

/**
 * Runs organisms on and compares them with their grown pictures.
 *
 * @param from initial states, and which places are closed
 * @param visit called with the states [n, S, S, C] of organisms from `first` on, for each mark
 * @returns by mark
 */
export async function likenesses(
  batch: EvaluationBatch,
  { latents, states: grown, count }: Grown,
  from: Pick<StepsStart, 'states' | 'closed'>,
  marks: readonly number[],
  visit?: (mark: number, states: Float32Array, first: number) => void,
): Promise<Record<string, Likeness>> {
  const before = picturesOf(batch.card, grown);
  const size = before.length / count;
  const errors = new Map(marks.map((mark) => [mark, new Float32Array(count)]));
  const { states, closed } = from;
  const start = { latents, states, ...(closed && { closed }) };
  await batch.follow(start, marks, (mark, states, first) => {
    const after = picturesOf(batch.card, states);
    const own = differences(after, before.subarray(first * size), after.length / size);
    errors.get(mark)!.set(own, first);
    visit?.(mark, states, first);
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
