/** Measures how grown organisms persist and rest, and cope with unusual latents. */
import type { Random } from '../../../shared/random.ts';
import type { Card } from '../../vnca/card.ts';
import { createReadout } from '../../vnca/readout.ts';
import { stepsUntilOpen } from '../../world/wounds.ts';
import { applyWound, woundOfShare } from '../wounds.ts';
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

/** Steps after damage at which recovery is measured; 0: right after it. */
export const HEALING_STEPS = [0, 4, 8, 16, 24, 32, 64] as const;
/** Those at which healed organisms are compared with the pictures of all. */
export const RETRIEVED_AFTER = 32;
/** Never opens within the steps that are measured. */
const FOR_EVER = 255;
/** Radius of what is left of an organism, as a share of the patch's side: 5 cells of 32. */
const REMNANT = 5 / 32;
/** Most draws of one wound. */
const DRAWS = 200;

/** Likeness to the picture before the damage, by steps after it. */
export type Recovery = Record<string, Likeness>;

/**
 * Draws which cells of a patch are wounded.
 *
 * @param lives [S, S], 1 = a living cell
 * @returns [S, S], 1 = kept, 0 = wounded
 */
export type Wound = (random: Random, side: number, lives: Uint8Array) => Uint8Array;

/** A share of the patch, exactly: on one side of a straight cut, or a disc. */
export const ofShare =
  (share: number): Wound =>
  (random, side) =>
    woundOfShare(random, side, share);

/** Half of the patch: one side of a straight cut, at a random angle. */
export const half: Wound = (random, side) => woundOfShare(random, side, 0.5, ['half']);

/** Everything. */
export const everything: Wound = (_, side) => new Uint8Array(side * side);

/** Everything but a disc of radius 5 (of patches of 32) around a living cell. */
export const allButADisc: Wound = (random, side, lives) => {
  const living = [...lives.keys()].filter((cell) => lives[cell] === 1);
  const centre = living[random.integer(living.length)] ?? 0;
  const [cx, cy] = [centre % side, Math.floor(centre / side)];
  return Uint8Array.from({ length: side * side }, (_, cell) =>
    Math.hypot((cell % side) - cx, Math.floor(cell / side) - cy) <= REMNANT * side ? 1 : 0,
  );
};

/** Options of `measureRecovery`. */
export interface RecoveryOptions {
  readonly wound: Wound;
  readonly random: Random;
  /**
   * Cells a step by which wounds close from their rim, by the rules of a room; absent: all wounded
   * cells may live again at once.
   */
  readonly closing?: number;
  /** Called with the healed states [n, S, S, C] of organisms from `first` on. */
  readonly onHealed?: (states: Float32Array, first: number) => void;
}

/**
 * Wounds every organism once, and follows it. Each wound kills a living cell and spares another, if
 * the kind of wound can.
 */
export async function measureRecovery(
  batch: EvaluationBatch,
  grown: Grown,
  { wound, random, closing, onHealed }: RecoveryOptions,
): Promise<Recovery> {
  const { card, patchSize } = batch;
  const { side, channels } = card;
  const states = grown.states.slice();
  const closed = closing === undefined ? undefined : new Uint8Array(grown.count * side * side);
  for (let n = 0; n < grown.count; n++) {
    const own = states.subarray(n * patchSize, (n + 1) * patchSize);
    const lives = livingCells(card, own);
    const mask = drawWound(wound, random, lives);
    if (closing === undefined) applyWound(own, mask, channels);
    else closed!.set(closeWound(own, mask, { lives, card, reach: closing }), n * side * side);
  }
  const start: Pick<StepsStart, 'states' | 'closed'> = { states, ...(closed && { closed }) };
  return likenesses(batch, grown, start, HEALING_STEPS, (mark, seen, first) => {
    if (mark === RETRIEVED_AFTER) onHealed?.(seen, first);
  });
}

/** @returns [S, S], 1 = a living cell */
function livingCells(card: Card, state: Float32Array): Uint8Array {
  const presence = new Uint8Array(card.side ** 2);
  createReadout(card)(state, 0, new Uint8Array(4 * presence.length), presence);
  const threshold = Math.ceil(card.presence.threshold * 255);
  return presence.map((value) => (value >= threshold ? 1 : 0));
}

/**
 * Draws until the wound kills a living cell and spares another: nobody heals from what missed them,
 * and nobody can close a wound from its rim who has none left. The last draw counts.
 */
function drawWound(wound: Wound, random: Random, lives: Uint8Array): Uint8Array {
  const side = Math.sqrt(lives.length);
  for (let draws = 1; ; draws++) {
    const mask = wound(random, side, lives);
    const kills = lives.some((is, cell) => is === 1 && mask[cell] === 0);
    const spares = lives.some((is, cell) => is === 1 && mask[cell] === 1);
    if ((kills && spares) || draws === DRAWS) return mask;
  }
}

/**
 * Kills the living cells under a wound, as a stroke does in a room where wounds close from their
 * rim. What has no living cell left is dead, and stays so.
 *
 * @param state [S, S, C]; changed in place
 * @returns steps until each place is open, [S, S]
 */
function closeWound(
  state: Float32Array,
  mask: Uint8Array,
  { lives, card, reach }: { lives: Uint8Array; card: Card; reach: number },
): Uint8Array {
  const isKilled = lives.map((is, cell) => is & (1 - mask[cell]));
  const spared = lives.map((is, cell) => is & mask[cell]);
  if (!spared.includes(1)) {
    state.fill(0);
    return new Uint8Array(mask.length).fill(FOR_EVER);
  }
  applyWound(
    state,
    isKilled.map((is) => 1 - is),
    card.channels,
  );
  return stepsUntilOpen({ isClosed: isKilled, lives: spared, width: card.side, reach });
}
