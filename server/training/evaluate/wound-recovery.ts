/**
 * Measures how well organisms recover from wounds. To measure another wound, add a `Wound` and a
 * line to `measureHealing`.
 */
import type { Random } from '../../../shared/random.ts';
import type { Card } from '../../vnca/card.ts';
import { createReadout } from '../../vnca/readout.ts';
import { stepsUntilOpen } from '../../world/closing.ts';
import { applyWound, woundOfShare } from '../rollout/wounds.ts';
import { type Likeness, likenesses } from './compare-pictures.ts';
import { type EvaluationBatch, type Grown, type Tools, workOf } from './evaluation-batch.ts';

/** Sizes of wounds, as shares of the patch. */
const WOUND_SHARES = [0.1, 0.25, 0.5, 0.75, 0.9];
/** Steps after damage at which recovery is measured. 0 is immediately after the damage. */
export const HEALING_STEPS = [0, 4, 8, 16, 24, 32, 64] as const;
/** Step after damage at which organisms are compared with the images of the whole gallery. */
const RETRIEVED_AFTER = 32;
/** Number of steps until the positions of a dead organism open. No measurement takes that many. */
const FOR_EVER = 255;
/** Radius of the disc left of an organism, as a share of the patch's side: 5 cells of 32. */
const REMNANT = 5 / 32;
/** Maximum number of attempts to draw one wound. */
const DRAWS = 200;

/** For each number of steps after the damage, the likeness to the picture before the damage. */
export type Recovery = Record<string, Likeness>;

/**
 * Draws which cells of a patch are wounded.
 *
 * @param lives [S, S], 1 = a living cell
 * @returns [S, S], 1 = kept, 0 = wounded
 */
export type Wound = (random: Random, side: number, lives: Uint8Array) => Uint8Array;

/** Creates a wound of exactly a share of the patch: one side of a straight cut, or a disc. */
export const ofShare =
  (share: number): Wound =>
  (random, side) =>
    woundOfShare(random, side, share);

/** Wounds half of the patch: one side of a straight cut, at a random angle. */
const half: Wound = (random, side) => woundOfShare(random, side, 0.5, ['half']);

/** Wounds the whole patch. */
export const everything: Wound = (_, side) => new Uint8Array(side * side);

/**
 * Wounds everything except a disc around a living cell. In a patch of side 32, the disc's radius is
 * 5 cells.
 */
export const allButADisc: Wound = (random, side, lives) => {
  const living = [...lives.keys()].filter((cell) => lives[cell] === 1);
  const centre = living[random.integer(living.length)] ?? 0;
  const [cx, cy] = [centre % side, Math.floor(centre / side)];
  return Uint8Array.from({ length: side * side }, (_, cell) =>
    Math.hypot((cell % side) - cx, Math.floor(cell / side) - cy) <= REMNANT * side ? 1 : 0,
  );
};

interface RecoveryOptions {
  readonly wound: Wound;
  readonly random: Random;
  /**
   * Number of cells per step by which wounds close from their rim, as in a room. If absent, all
   * wounded cells may live again immediately.
   */
  readonly closing?: number;
  /**
   * Called 32 steps after the wound with the states [n, S, S, C] of the n organisms from index
   * `first` on.
   */
  readonly onHealed?: (states: Float32Array, first: number) => void;
}

/**
 * Wounds every organism once and measures its recovery. Each wound kills at least one living cell
 * and spares at least one, if its shape allows.
 */
export async function measureRecovery(
  batch: EvaluationBatch,
  grown: Grown,
  { wound, random, closing, onHealed }: RecoveryOptions,
): Promise<Recovery> {
  const { card, patchSize } = batch;
  const { side, channels } = card;
  const states = grown.states.slice();
  const closed = new Uint8Array(grown.count * side * side);
  for (let n = 0; n < grown.count; n++) {
    const own = states.subarray(n * patchSize, (n + 1) * patchSize);
    const lives = livingCells(card, own);
    const mask = drawWound(wound, random, lives);
    if (closing === undefined) applyWound(own, mask, channels);
    else closed.set(closeWound(own, mask, { lives, card, reach: closing }), n * side * side);
  }
  const from = { ...grown, states, ...(closing !== undefined && { closed }) };
  return likenesses(batch, grown, from, HEALING_STEPS, (mark, seen, first) => {
    if (mark === RETRIEVED_AFTER) onHealed?.(seen, first);
  });
}

/** Finds the living cells. @returns [S, S], 1 = a living cell */
function livingCells(card: Card, state: Float32Array): Uint8Array {
  const presence = new Uint8Array(card.side ** 2);
  createReadout(card)(state, 0, new Uint8Array(4 * presence.length), presence);
  const threshold = Math.ceil(card.presence.threshold * 255);
  return presence.map((value) => (value >= threshold ? 1 : 0));
}

/**
 * Draws wounds until one kills a living cell and spares another, because an organism that was
 * missed has nothing to heal, and a wound without a rim cannot close. After the maximum number of
 * attempts, the last wound is used.
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
 * Kills the living cells under a wound, as a stroke does in a room whose wounds close from their
 * rim. An organism without a living cell stays dead.
 *
 * @param state [S, S, C]; changed in place
 * @returns number of steps until each position opens, [S, S]
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

/**
 * Kills half of an organism, so that the wound closes from its rim by one cell per step.
 *
 * @param state [S, S, C]; changed in place
 * @returns number of steps until each position opens, [S, S]
 */
export function loseHalf(state: Float32Array, card: Card, random: Random): Uint8Array {
  const lives = livingCells(card, state);
  return closeWound(state, drawWound(half, random, lives), { lives, card, reach: 1 });
}

/** Returns found / count, or null if the number found is unknown. */
export const shareOf = (found: number, count: number): number | null =>
  Number.isNaN(found) ? null : found / count;

/**
 * Wounds organisms in several ways and measures how they recover. @param retrieved counts the
 * organisms, from index `first` on, that resemble their own image most
 */
export async function measureHealing(
  grown: Grown,
  { batch, measure, random }: Tools,
  retrieved: (of: Float32Array, first: number) => number,
) {
  const { closing = 1, side } = batch.card;
  const work = workOf(grown.count, side ** 2 * HEALING_STEPS[HEALING_STEPS.length - 1]);
  const healed: Record<string, number | null> = {};
  /**
   * @param key key in `healed` under which to store the share of organisms retrieved afterwards. If
   * absent, that share is not measured
   */
  const recover = async (
    what: string,
    seed: string,
    way: Pick<RecoveryOptions, 'wound' | 'closing'>,
    key?: string,
  ): Promise<Recovery> => {
    let found = 0;
    const onHealed = (seen: Float32Array, first: number): void => {
      if (key !== undefined) found += retrieved(seen, first);
    };
    const recovery = await measure(what, work, () =>
      measureRecovery(batch, grown, { ...way, random: random(`wound ${seed}`), onHealed }),
    );
    if (key !== undefined) healed[key] = shareOf(found, grown.count);
    return recovery;
  };
  const heal: Record<string, Recovery> = {};
  const healFromRim: Record<string, Recovery> = {};
  for (const share of WOUND_SHARES) {
    // Both measurements use the same random seed and therefore the same wounds.
    const wound = ofShare(share);
    heal[share] = await recover(`healing ${share}`, `${share}`, { wound }, `${share}`);
    healFromRim[share] = await recover(`closing ${share}`, `${share}`, { wound, closing });
  }
  const halves = { wound: half, closing: 1 };
  const disc = { wound: allButADisc, closing: 1 };
  return {
    /**
     * Likeness to the picture before the wound. Indexed by the lost share of the patch, then by the
     * number of steps after the wound. All cells may live again immediately.
     */
    heal,
    /** As `heal`, but half of the patch is lost and closes from the rim, one cell per step. */
    closing: await recover('closing halves', 'half', halves, 'closing'),
    /**
     * As `heal`, but wounds close from their rim. Per step they close by the number of cells in the
     * checkpoint's card, or by 1 if the card has none.
     */
    healFromRim,
    /** As `closing`, but only a disc around a living cell is left: see `allButADisc`. */
    discLeft: await recover('a disc left', 'disc', disc),
    /** As a control: like `heal`, but every cell is lost. */
    erased: await recover('nothing left', 'everything', { wound: everything }, 'erased'),
    healed,
  };
}
