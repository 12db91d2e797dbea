/**
 * Measures how organisms recover from wounds: when all lost cells may live again at once, and when
 * wounds close from their rim as in a room.
 */
import type { Random } from '../../../shared/random.ts';
import type { Card } from '../../vnca/card.ts';
import { createReadout } from '../../vnca/readout.ts';
import { stepsUntilOpen } from '../../world/closing.ts';
import { applyWound, woundOfShare } from '../wounds.ts';
import type { EvaluationBatch, StepsStart } from './evaluation-batch.ts';
import { type Grown, likenesses } from './persistence.ts';
import type { Likeness } from './picture.ts';

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
