/**
 * Measures how well grown organisms keep their pictures, come to rest, and recover from wounds.
 * Start reading at `measureOrganisms`.
 */
import { createRandom, type Random } from '../../../shared/random.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { createReadout } from '../../vnca/readout.ts';
import { stepsUntilOpen } from '../../world/healing.ts';
import { applyWound, woundOfShare } from '../rollout/wounds.ts';
import { LATENTS, rowsOf, someOf } from '../run/run-state.ts';
import { differences, type Likeness, likenesses, mean, picturesOf } from './compare-pictures.ts';
import type { EvaluationBatch, Grown, Tools } from './evaluation-batch.ts';
import type { Images } from './images.ts';

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
    notes.push('error of the gallery was not measured: the images do not belong to the gallery');
  }
  const own =
    chosen && images && rowsOf(images.pixels, chosen, images.pixels.length / images.count);
  return {
    grown,
    /** Mean squared difference between organisms and their training images; null without images. */
    mse: own ? mean(differences(picturesOf(card, states), own, count)) : null,
    figures: {
      /**
       * Likeness of organisms to their pictures at the end of growth, by number of steps since
       * then.
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
      'the gallery is empty, so organisms were drawn from the prior and have no images of their own',
    );
    return { latents: createRandom(1).latent((wanted || 64) * z) };
  }
  const chosen = someOf(all, wanted);
  const { length: count } = chosen;
  if (count < all) notes.push(`staying and healing of ${count} of ${all} organisms of the gallery`);
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

/** Sizes of wounds, as shares of the patch's cells. */
const WOUND_SHARES = [0.1, 0.25, 0.5, 0.75, 0.9];
/** Numbers of steps after a wound at which to measure recovery. */
export const HEALING_STEPS = [0, 4, 8, 16, 24, 32, 64] as const;
/**
 * Number of steps for which the cells of a dead organism stay closed. No measurement takes as many
 * steps.
 */
const FOR_EVER = 255;
/** Radius of the disc that `allButADisc` leaves unwounded, as a share of the patch's side. */
const REMNANT = 5 / 32;
/** Maximum number of attempts to draw a wound. */
const DRAWS = 200;

/**
 * How much wounded organisms resemble their pictures before the wound, by number of steps since
 * then.
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
 * least one alive.
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
 * Draws a wound that kills at least one living cell and leaves at least one, because a wound closes
 * from living cells at its rim. If `DRAWS` attempts fail, returns the last wound.
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
 * Kills the living cells under a wound. The wound then closes from its rim, as in a room. If no
 * living cell is left, the organism stays dead.
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

async function measureHealing(grown: Grown, { batch, measure, random }: Tools) {
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
    heal[share] = await recover(`healing ${share}`, `${share}`, { wound });
    healFromRim[share] = await recover(`closing ${share}`, `${share}`, { wound, closing });
  }
  return {
    /**
     * How much wounded organisms resemble their pictures before the wound, if all wounded cells may
     * live again immediately. Indexed by the wounded share of the patch, then by the number of
     * steps after the wound.
     */
    heal,
    /** As `heal`, for wounds of half the patch that close from their rim, by one cell per step. */
    closing: await recover('closing halves', 'half', { wound: half, closing: 1 }),
    /**
     * As `heal`, for the same wounds, which close from their rim. The speed, in cells per step, is
     * `closing` in the checkpoint's card, or 1 if absent.
     */
    healFromRim,
    /**
     * As `heal`, for wounds that leave only a small disc alive and close from their rim, by one
     * cell per step.
     */
    discLeft: await recover('a disc left', 'disc', { wound: allButADisc, closing: 1 }),
    /** A control: as `heal`, for organisms with all cells set to zero. */
    erased: await recover('nothing left', 'everything', { wound: everything }),
  };
}
