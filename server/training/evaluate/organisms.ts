/**
 * Measures how well grown organisms keep their picture, rest and heal, and which image they
 * resemble. Other files draw and write. Start reading at `measureOrganisms`; each other function
 * measures one thing.
 */
import { createRandom, type Random } from '../../../shared/random.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { createReadout } from '../../vnca/readout.ts';
import { stepsUntilOpen } from '../../world/wounds.ts';
import { applyWound, woundOfShare } from '../rollout/wounds.ts';
import { rowsOf, someOf } from '../run/run-state.ts';
import type { Images } from './bounds.ts';
import { type EvaluationBatch, type Grown, type Tools, workOf } from './evaluation-batch.ts';
import { differences, type Likeness, likeness, mean, picturesOf } from './picture.ts';

/**
 * Default numbers of steps after growth at which organisms are compared with their grown picture.
 */
export const STAY_STEPS = [100, 1000, 10_000];
/** Default sizes of wounds, as shares of the patch. */
export const WOUND_SHARES = [0.1, 0.25, 0.5, 0.75, 0.9];

/**
 * Number of organisms per radius of latents, and number of their steps after growth, for
 * `measureRobustness`.
 */
const ROBUST_EACH = 16;
const ROBUST_STEPS = 100;

type OrganismFigures = Awaited<ReturnType<typeof measureOrganisms>>;

/**
 * Grows organisms of the gallery, then ages and damages them.
 *
 * @param images images of the gallery's entries, or undefined if unknown
 * @param wanted.organisms maximum number, or 0 for all
 * @param wanted.steps numbers of steps after growth, ascending
 * @param wanted.wounds sizes of wounds, as shares of the patch
 */
export async function measureOrganisms(
  model: Model,
  images: Images | undefined,
  wanted: {
    readonly organisms: number;
    readonly steps: readonly number[];
    readonly wounds: readonly number[];
  },
  tools: Tools,
) {
  const { batch, measure, random, notes } = tools;
  const { card } = model;
  const { steps, wounds } = wanted;
  const { latents, chosen } = chooseLatents(model, wanted.organisms, notes);
  const count = latents.length / card.latentSize;
  const work = (each: number): number => workOf(count, card.side ** 2 * each);
  const states = await measure('growing', workOf(count, batch.growthWork), () =>
    batch.grow(latents),
  );
  const grown: Grown = { latents, states, count };
  const stay = await measure('staying', work(steps[steps.length - 1]), () =>
    measureStay(batch, grown, steps),
  );
  const cycles = await measure('resting', work(REST[1]), () => measureCycles(batch, grown));

  const own = images && chosen && { images, chosen };
  if (chosen && !images) {
    notes.push(
      'retrieval and error of the gallery were not measured: the images do not belong to the gallery',
    );
  }
  /**
   * Counts the organisms, from index `first` on, that resemble their own image most. Returns NaN if
   * the images are unknown.
   */
  const retrieved = (of: Float32Array, first: number): number => {
    if (!own) return Number.NaN;
    const indices = own.chosen.slice(first, first + of.length / batch.patchSize);
    const { pixels, count: all } = own.images;
    return areRetrieved(picturesOf(card, of), indices, pixels, all).filter(Boolean).length;
  };
  const { healed, ...recoveries } = await measureHealing(grown, wounds, tools, retrieved);

  const far = workOf(
    ROBUST_EACH,
    RADII.length * (batch.growthWork + card.side ** 2 * ROBUST_STEPS),
  );
  const robustness = await measure('far latents', far, () =>
    measureRobustness(batch, random('far'), ROBUST_EACH, ROBUST_STEPS),
  );
  const ownPixels =
    own && rowsOf(own.images.pixels, own.chosen, own.images.pixels.length / own.images.count);
  return {
    grown,
    /** Mean squared difference between organisms and their own images, or null if unknown. */
    mse: ownPixels ? mean(differences(picturesOf(card, states), ownPixels, count)) : null,
    figures: {
      /** Likeness to the grown picture, by steps after growth. */
      stay,
      /**
       * Whether organisms of latents far from the prior stay bounded, by norm of the latents in √Z.
       */
      robustness,
      ...recoveries,
      /**
       * Share of organisms that look more like their own image than like any other of the gallery:
       * when grown, and 32 steps after the wounds of `heal` and `closing` and after `erased`.
       */
      retrieval: { organisms: count, grown: shareOf(retrieved(states, 0), count), healed },
      /** Share of organisms in which some cell still moves when it should rest. */
      cycles: cycles as number | null,
    },
  };
}

const shareOf = (found: number, count: number): number | null =>
  Number.isNaN(found) ? null : found / count;

/**
 * Wounds organisms in several ways and measures how they recover. @param retrieved counts the
 * organisms, from index `first` on, that resemble their own image most
 */
async function measureHealing(
  grown: Grown,
  wounds: readonly number[],
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
  for (const share of wounds) {
    // Both ways to heal use the same random seed and therefore the same wounds.
    const wound = ofShare(share);
    heal[share] = await recover(`healing ${share}`, `${share}`, { wound }, `${share}`);
    healFromRim[share] = await recover(`closing ${share}`, `${share}`, { wound, closing });
  }
  const halves = { wound: half, closing: 1 };
  const disc = { wound: allButADisc, closing: 1 };
  return {
    /**
     * Likeness to the picture before the wound, if all cells may live again immediately: by share
     * of the patch that is lost, then by steps after the wound.
     */
    heal,
    /** As `heal`, if half of the patch is lost and closes from the rim, one cell per step. */
    closing: await recover('closing halves', 'half', halves, 'closing'),
    /**
     * As `heal`, for wounds that close from their rim, by the card's number of cells per step, or 1
     * if the card has none.
     */
    healFromRim,
    /** As `closing`, if only a disc of radius 5 around a living cell is left. */
    discLeft: await recover('a disc left', 'disc', disc),
    /** As `heal`, if every cell is lost, as a control. */
    erased: await recover('nothing left', 'everything', { wound: everything }, 'erased'),
    healed,
  };
}

/** The figures of a model without cells. */
export const NO_ORGANISMS: OrganismFigures = {
  grown: { latents: new Float32Array(0), states: new Float32Array(0), count: 0 },
  mse: null,
  figures: {
    ...{ stay: {}, heal: {}, robustness: {}, closing: {}, healFromRim: {}, discLeft: {} },
    ...{ erased: {}, retrieval: { organisms: 0, grown: null, healed: {} }, cycles: null },
  },
};

/** Chooses latents evenly from the gallery or, if the gallery is empty, samples the prior. */
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
  return { latents: rowsOf(tensors.get('gallery.latents')!.data, chosen, z), chosen };
}

/**
 * Finds the organisms whose own image is the nearest of all images.
 *
 * @param pictures pictures of the organisms, [N, …], 0…1
 * @param own index of each organism's own image, [N]
 * @param images [M, …]
 * @param count M
 * @returns whether the own image is the nearest, [N]
 */
export function areRetrieved(
  pictures: Float32Array,
  own: ArrayLike<number>,
  images: Float32Array,
  count: number,
): boolean[] {
  const size = images.length / count;
  return Array.from({ length: own.length }, (_, n) => {
    const picture = pictures.subarray(n * size, (n + 1) * size);
    /**
     * Returns the sum of squared differences. Stops early at the limit, because a larger sum need
     * not be exact.
     */
    const distance = (m: number, limit: number): number => {
      let sum = 0;
      for (let i = 0; i < size && sum < limit; i++) sum += (picture[i] - images[m * size + i]) ** 2;
      return sum;
    };
    const limit = distance(own[n], Infinity);
    for (let m = 0; m < count; m++) {
      if (m !== own[n] && distance(m, limit) < limit) return false;
    }
    return true;
  });
}

/**
 * Measures how far undisturbed organisms drift from their grown picture.
 *
 * @param steps ascending
 * @returns by steps: likeness, and the share of organisms whose states are all finite
 */
export async function measureStay(
  batch: EvaluationBatch,
  grown: Grown,
  steps: readonly number[],
): Promise<Record<string, Likeness & { readonly finite: number }>> {
  const finite: Record<string, number> = {};
  const seen = await likenesses(batch, grown, grown, steps, (at, states) => {
    finite[at] = (finite[at] ?? 0) + countFinite(states, batch.patchSize);
  });
  return Object.fromEntries(
    Object.entries(seen).map(([at, one]) => [at, { ...one, finite: finite[at] / grown.count }]),
  );
}

/**
 * Norms of the latents for `measureRobustness`, in √Z. Latents of the prior have a norm of about 1.
 */
const RADII = [1, 1.5, 2, 3] as const;

/**
 * Measures whether organisms grow from latents far from the prior and stay bounded.
 *
 * @param each number of organisms per radius
 * @param steps number of steps after growth
 * @returns by radius in √Z: share of organisms whose states are all finite, and the largest
 * absolute value of a state
 */
export async function measureRobustness(
  batch: EvaluationBatch,
  random: Random,
  each: number,
  steps: number,
) {
  const { latentSize } = batch.card;
  const result: Record<string, { readonly finite: number; readonly largest: number }> = {};
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
    const states = await batch.grow(latents);
    await batch.follow({ latents, states }, [steps], (_, seen) => {
      finite += countFinite(seen, batch.patchSize);
      for (const x of seen) if (Math.abs(x) > largest) largest = Math.abs(x);
    });
    result[`${radius}`] = { finite: finite / each, largest };
  }
  return result;
}

/** First and last step after growth of the period in which an organism at rest must not move. */
const REST = [200, 232] as const;
/** Minimum change of a cell's colour, of 255, that counts as moving. */
const MOVES = 3;

/**
 * Measures the share of organisms that do not come to rest, that is, in which some cell's colour
 * varies by 3 of 255 or more between steps 200 and 232 after growth.
 */
export async function measureCycles(batch: EvaluationBatch, grown: Grown): Promise<number> {
  const movements = await measureMovements(batch, grown);
  return movements.filter((movement) => movement >= MOVES).length / grown.count;
}

/**
 * Measures the largest change of a cell's colour between steps 200 and 232 after growth.
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
    let largest = 0;
    for (let i = n * size; i < (n + 1) * size; i++) {
      largest = Math.max(largest, Math.fround(highest[i] - lowest[i]));
    }
    return Math.round(255 * largest);
  });
}

/**
 * Runs organisms from other states and compares them with their grown pictures.
 *
 * @param visit called for each mark with the states [n, S, S, C] of the n organisms from index
 * `first` on
 * @returns likeness by mark
 */
async function likenesses(
  batch: EvaluationBatch,
  grown: Grown,
  from: Grown,
  marks: readonly number[],
  visit: (mark: number, states: Float32Array, first: number) => void,
): Promise<Record<string, Likeness>> {
  const before = picturesOf(batch.card, grown.states);
  const size = before.length / grown.count;
  const errors = new Map(marks.map((mark) => [mark, new Float32Array(grown.count)]));
  await batch.follow(from, marks, (mark, states, first) => {
    const after = picturesOf(batch.card, states);
    const own = differences(after, before.subarray(first * size), after.length / size);
    errors.get(mark)!.set(own, first);
    visit(mark, states, first);
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

/** Steps after damage at which recovery is measured. 0 is immediately after the damage. */
export const HEALING_STEPS = [0, 4, 8, 16, 24, 32, 64] as const;
/** Step after damage at which organisms are compared with the images of the whole gallery. */
const RETRIEVED_AFTER = 32;
/** Number of steps until the positions of a dead organism open, more than are ever measured. */
const FOR_EVER = 255;
/** Radius of the disc left of an organism, as a share of the patch's side: 5 cells of 32. */
const REMNANT = 5 / 32;
/** Maximum number of attempts to draw one wound. */
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

/** Creates a wound of exactly a share of the patch: one side of a straight cut, or a disc. */
export const ofShare =
  (share: number): Wound =>
  (random, side) =>
    woundOfShare(random, side, share);

/** Wounds half of the patch: one side of a straight cut, at a random angle. */
const half: Wound = (random, side) => woundOfShare(random, side, 0.5, ['half']);

/** Wounds the whole patch. */
export const everything: Wound = (_, side) => new Uint8Array(side * side);

/** Wounds everything except a disc around a living cell, of radius 5 in patches of side 32. */
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
   * Number of cells per step by which wounds close from their rim, by the rules of a room. If
   * absent, all wounded cells may live again immediately.
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

/** @returns [S, S], 1 = a living cell */
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
