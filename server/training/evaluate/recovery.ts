/** Measures how well organisms recover from wounds. Start reading at `measureHealing`. */
import type { Random } from '../../../shared/random.ts';
import type { Card } from '../../vnca/card.ts';
import { createReadout } from '../../vnca/readout.ts';
import { stepsUntilOpen } from '../../world/healing.ts';
import { applyWound, woundOfShare } from '../rollout/wounds.ts';
import { type Likeness, likenesses } from './compare-pictures.ts';
import type { EvaluationBatch, Grown, Tools } from './evaluation-batch.ts';

/** Sizes of wounds, as shares of the patch's cells. */
const WOUND_SHARES = [0.1, 0.25, 0.5, 0.75, 0.9];
/** Numbers of steps after a wound at which to measure recovery. */
export const HEALING_STEPS = [0, 4, 8, 16, 24, 32, 64] as const;
/**
 * Number of steps for which the cells of a dead organism stay closed (cannot live again); longer
 * than any measurement.
 */
const FOR_EVER = 255;
/** Radius of the disc that `allButADisc` leaves unwounded, as a share of the patch's side. */
const REMNANT = 5 / 32;
/** Maximum number of attempts to draw a wound. */
const DRAWS = 200;

/**
 * How similar wounded organisms are to their pictures from before the wound, by number of steps
 * since the wound.
 */
export type Recovery = Record<string, Likeness>;

/**
 * Draws a random wound of one kind.
 *
 * @param side side of the patch, S
 * @param lives [S, S] 1 for living cells, else 0
 * @returns [S, S] 0 for wounded cells, 1 for all others
 */
export type Wound = (random: Random, side: number, lives: Uint8Array) => Uint8Array;

/**
 * Creates wounds that cover exactly a given share of the patch: a disc, or one side of a straight
 * cut.
 */
export const ofShare =
  (share: number): Wound =>
  (random, side) =>
    woundOfShare(random, side, share);

/** Wounds half of the patch, on one side of a straight cut at a random angle. */
const half: Wound = (random, side) => woundOfShare(random, side, 0.5, ['half']);

export const everything: Wound = (_, side) => new Uint8Array(side * side);

/** Wounds everything except a disc around a random living cell. */
export const allButADisc: Wound = (random, side, lives) => {
  const living = [...lives.keys()].filter((cell) => lives[cell] === 1);
  const centre = living[random.integer(living.length)] ?? 0;
  const [cx, cy] = [centre % side, Math.floor(centre / side)];
  return Uint8Array.from({ length: side * side }, (_, cell) =>
    Math.hypot((cell % side) - cx, Math.floor(cell / side) - cy) <= REMNANT * side ? 1 : 0,
  );
};

interface WoundOptions {
  readonly wound: Wound;
  readonly random: Random;
  /**
   * Speed, in cells per step, at which wounds close from their rim, as in a room. If absent, all
   * wounded cells may live again immediately.
   */
  readonly closing?: number;
}

export const measureRecovery = (
  batch: EvaluationBatch,
  grown: Grown,
  options: WoundOptions,
): Promise<Recovery> => likenesses(batch, grown, wounded(batch, grown, options), HEALING_STEPS);

/**
 * Wounds every organism once. If possible, each wound kills at least one living cell and leaves at
 * least one living cell.
 */
export function wounded(
  { card, patchSize }: EvaluationBatch,
  grown: Grown,
  { wound, random, closing }: WoundOptions,
): Grown {
  const cells = card.side ** 2;
  const states = grown.states.slice();
  const closed = new Uint8Array(grown.count * cells);
  for (let n = 0; n < grown.count; n++) {
    const own = states.subarray(n * patchSize, (n + 1) * patchSize);
    const lives = livingCells(card, own);
    const mask = drawWound(wound, random, lives);
    if (closing === undefined) applyWound(own, mask, card.channels);
    else closed.set(closeWound(own, mask, { lives, card, reach: closing }), n * cells);
  }
  return { ...grown, states, ...(closing !== undefined && { closed }) };
}

/** Finds the living cells of an organism. @returns [S, S] 1 for living cells, else 0 */
function livingCells(card: Card, state: Float32Array): Uint8Array {
  const presence = new Uint8Array(card.side ** 2);
  createReadout(card)(state, 0, new Uint8Array(4 * presence.length), presence);
  const threshold = Math.ceil(card.presence.threshold * 255);
  return presence.map((value) => (value >= threshold ? 1 : 0));
}

/**
 * Draws a wound that kills at least one living cell and leaves at least one living cell. If `DRAWS`
 * attempts fail, returns the last wound.
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
 * Kills the living cells under a wound. The killed cells may live again later, first those at the
 * wound's rim, as in a room. If no living cell is left, the organism stays dead.
 *
 * @param state [S, S, C]; changed in place
 * @param mask [S, S] 0 for wounded cells, 1 for all others
 * @returns [S, S] number of steps until each cell opens (may live again)
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
 * Wounds half of an organism's patch. The wound then closes from its rim by one cell per step.
 *
 * @param state [S, S, C]; changed in place
 * @returns [S, S] number of steps until each cell opens (may live again)
 */
export function loseHalf(state: Float32Array, card: Card, random: Random): Uint8Array {
  const lives = livingCells(card, state);
  return closeWound(state, drawWound(half, random, lives), { lives, card, reach: 1 });
}

export async function measureHealing(grown: Grown, { batch, measure, random }: Tools) {
  const { closing = 1 } = batch.card;
  const recover = (
    what: string,
    seed: string,
    way: Pick<WoundOptions, 'wound' | 'closing'>,
  ): Promise<Recovery> =>
    measure(what, () => measureRecovery(batch, grown, { ...way, random: random(`wound ${seed}`) }));
  const heal: Record<string, Recovery> = {};
  const healFromRim: Record<string, Recovery> = {};
  for (const share of WOUND_SHARES) {
    // Both measurements use the same random seed and therefore the same wounds.
    const wound = ofShare(share);
    heal[share] = await recover(`healing after losing a share of ${share}`, `${share}`, { wound });
    const fromRim = `healing from the rim after losing a share of ${share}`;
    healFromRim[share] = await recover(fromRim, `${share}`, { wound, closing });
  }
  return {
    /**
     * How similar wounded organisms are to their pictures from before the wound. All wounded cells
     * may live again immediately. Indexed by the wounded share of the patch, then by the number of
     * steps after the wound.
     */
    heal,
    /** Recovery from wounds of half the patch, which close from their rim by one cell per step. */
    closing: await recover('healing after losing half', 'half', { wound: half, closing: 1 }),
    /**
     * Recovery by wounded share, as in `heal`, but wounds close from their rim. `closing` in the
     * checkpoint's card is their speed, in cells per step (1 if absent).
     */
    healFromRim,
    /**
     * Recovery from wounds that leave only a small disc alive. These wounds close from their rim by
     * one cell per step.
     */
    discLeft: await recover('healing from a small disc', 'disc', {
      wound: allButADisc,
      closing: 1,
    }),
    /** For comparison: recovery of organisms after all of their cells were set to zero. */
    erased: await recover('healing from nothing', 'everything', { wound: everything }),
  };
}
