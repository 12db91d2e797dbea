/**
 * Measures how organisms recover from wounds: when all lost cells may live again at once, and when
 * wounds close from their rim as in a room.
 */
import type { Random } from '../../../shared/random.ts';
import type { Card } from '../../vnca/card.ts';
import { createReadout } from '../../vnca/readout.ts';
import { stepsUntilOpen } from '../../world/closing.ts';
import { applyWound, woundOfShare } from '../wounds.ts';
import type { EvaluationBatch, Start } from './evaluation-batch.ts';
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

/** Likeness to the picture before the damage, by steps after it. */
export type Recovery = Record<string, Likeness>;

/**
 * Draws which cells of a patch are wounded.
 *
 * @returns [S, S], 1 = kept, 0 = wounded
 */
export type Wound = (random: Random, side: number) => Uint8Array;

/** A share of all cells, exactly: on one side of a straight cut, or a disc. */
export const ofShare =
  (share: number): Wound =>
  (random, side) =>
    woundOfShare(random, side, share);

/** One side of a straight cut through the middle, at a random angle. */
export const half: Wound = (random, side) => woundOfShare(random, side, 0.5, ['half']);

/** Everything. */
export const everything: Wound = (_, side) => new Uint8Array(side * side);

/** Everything but a disc of radius 5 (of patches of 32), anywhere inside. */
export const allButADisc: Wound = (random, side) => {
  const radius = REMNANT * side;
  const coordinate = (): number => radius + random.uniform() * (side - 2 * radius);
  const [cx, cy] = [coordinate(), coordinate()];
  return Uint8Array.from({ length: side * side }, (_, cell) => {
    const [x, y] = [cell % side, Math.floor(cell / side)];
    return Math.hypot(x + 0.5 - cx, y + 0.5 - cy) <= radius ? 1 : 0;
  });
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

/** Wounds every organism once, and follows it. */
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
    const mask = wound(random, side);
    if (closing === undefined) applyWound(own, mask, channels);
    else closed!.set(closeWound(own, mask, { card, reach: closing }), n * side * side);
  }
  const start: Pick<Start, 'states' | 'closed'> = { states, ...(closed && { closed }) };
  return likenesses(batch, grown, start, HEALING_STEPS, (mark, seen, first) => {
    if (mark === RETRIEVED_AFTER) onHealed?.(seen, first);
  });
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
  { card, reach }: { readonly card: Card; readonly reach: number },
): Uint8Array {
  const presence = new Uint8Array(mask.length);
  createReadout(card)(state, 0, new Uint8Array(4 * mask.length), presence);
  const threshold = Math.ceil(card.presence.threshold * 255);
  const isKilled = mask.map((kept, cell) => (kept === 0 && presence[cell] >= threshold ? 1 : 0));
  const lives = mask.map((kept, cell) => (kept === 1 && presence[cell] >= threshold ? 1 : 0));
  if (!lives.includes(1)) {
    state.fill(0);
    return new Uint8Array(mask.length).fill(FOR_EVER);
  }
  applyWound(
    state,
    isKilled.map((is) => 1 - is),
    card.channels,
  );
  return stepsUntilOpen({ isClosed: isKilled, lives, width: card.side, reach });
}
