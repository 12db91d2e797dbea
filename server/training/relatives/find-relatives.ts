/**
 * Finds the relatives that the creatures of a gallery can express: lends each creature the latent
 * of a relative, then gives it back its own latent, as a room does, and measures whether the
 * creature returns to its own picture ("comes home"). Start reading at `findRelatives`.
 */
import type { Engine, PatchId, Readout } from '../../engine/engine.ts';
import { growthSchedule } from '../../vnca/architecture.ts';
import { galleryLatent, type Model } from '../../vnca/checkpoint.ts';
import { distance, selectGallery } from '../../vnca/gallery.ts';
import type { Relatives } from '../../vnca/relatives.ts';
import { GridPlanes } from '../../world/grid-planes.ts';
import { hasFlashed, remember } from '../../world/organisms/flicker.ts';
import { LIFE, newOrganism } from '../../world/organisms/organism.ts';
import { mean } from '../evaluate/compare-pictures.ts';
import { inRows, meanSquare } from '../pictures/sheet.ts';

/** Maximum number of relatives per creature. */
const EACH = 3;
/** The borrowing creature must come home after each of this many consecutive rounds. */
const ROUNDS = 20;
/**
 * A round is `lentSteps` steps with the relative's latent, then at most `homeSteps` steps with the
 * creature's own latent. The second part ends earlier if the creature no longer changes.
 */
const ROUND = { lentSteps: 12, homeSteps: 20 };
/**
 * Maximum number of creatures to try as relatives of each creature: the most similar creatures of
 * its kind.
 */
const TRIED = 8;
/** Difference of a colour value, of 255, that everybody sees. */
const VISIBLE = 32;
/** Minimum number of cells in which a relative must look visibly different. */
const LEAST_CHANGED = 60;
/**
 * Limits, as shares of the creature's body: how much a relative may add outside this body, and how
 * much of this body a relative may lack.
 */
const MOST_OUTSIDE = 0.2;
const MOST_LACKING = 0.4;
/**
 * A creature has come home if its picture differs from its picture at rest by less than this mean
 * squared difference.
 */
export const HOME = 0.002;
/** Number of patches processed together. Limits memory. */
const BATCH = 128;

/** Gallery indices of a borrowing creature and of the relative that lends its latent. */
interface Pair {
  readonly own: number;
  readonly relative: number;
}

/** A gallery creature, grown and at rest. */
interface Resting {
  /** Shape [S, S, C]. */
  readonly state: Float32Array;
  /** Shape [S, S, 4]. */
  readonly rgba: Uint8Array;
  /** Shape [S, S]; 1 = living cell. */
  readonly alive: Uint8Array;
}

/**
 * Tries the most similar creatures of each kind in turn, and keeps those with which the borrowing
 * creature comes home.
 *
 * @param say reports progress
 * @returns the table; the pairs of creatures in it, with their measurements; and the number of
 * pairs that were tried
 */
export async function findRelatives(engine: Engine, model: Model, say: (line: string) => void) {
  const grown = await growToRest(engine, model, [...model.card.gallery.keys()]);
  const resting = [...grown.values()];
  let waiting = likest(model, resting);
  const kept: (Pair & RoundTrips)[][] = resting.map(() => []);
  let tried = 0;
  for (;;) {
    // Try only as many relatives as are still missing, because most attempts succeed.
    const next = waiting.flatMap((some, own) => some.slice(0, EACH - kept[own].length));
    if (next.length === 0) break;
    say(`trying ${next.length} pairs`);
    const trips = await roundTrips(engine, model, grown, next, ROUND);
    next.forEach((pair, i) => {
      if (isSafe(trips[i])) kept[pair.own].push({ ...pair, ...trips[i] });
    });
    tried += next.length;
    waiting = waiting.map((some) => some.filter((one) => !next.includes(one)));
  }
  const of = kept.map((some) => some.map(({ relative }) => relative));
  const table: Relatives = { ...ROUND, of };
  return { table, pairs: kept.flat(), tried };
}

/** Whether a relative looks different enough but has about the same body. */
function isWorthIt(own: Resting, relative: Resting): boolean {
  let [body, changed, outside, lacking] = [0, 0, 0, 0];
  own.alive.forEach((alive, cell) => {
    body += alive;
    if (alive === 0 && relative.alive[cell] === 1) outside++;
    if (alive === 1 && relative.alive[cell] === 0) lacking++;
    const values = [0, 1, 2, 3].map((c) => 4 * cell + c);
    if (values.some((i) => Math.abs(own.rgba[i] - relative.rgba[i]) >= VISIBLE)) changed++;
  });
  const isAlike = outside <= MOST_OUTSIDE * body && lacking <= MOST_LACKING * body;
  return isAlike && changed >= LEAST_CHANGED;
}

/**
 * Lists, for each creature, the creatures of its kind that are worth trying, the most similar
 * first. Similarity is that of pictures and latents.
 */
function likest(model: Model, resting: readonly Resting[]): Pair[][] {
  const { gallery } = model.card;
  const latents = gallery.map((_, i) => galleryLatent(model, i));
  const unsuitable = new Set(selectGallery(gallery, latents).unsuitable);
  const pairs = gallery.flatMap(({ kind }, own) =>
    gallery.flatMap((other, relative) => {
      if (other.kind !== kind || relative === own || unsuitable.has(relative)) return [];
      if (!isWorthIt(resting[own], resting[relative])) return [];
      const picture = Math.sqrt(meanSquare(resting[own].rgba, resting[relative].rgba));
      return [{ own, relative, picture, latent: distance(latents[own], latents[relative]) }];
    }),
  );
  const scale = {
    picture: mean(pairs.map(({ picture }) => picture)),
    latent: mean(pairs.map(({ latent }) => latent)),
  };
  const unlikeness = ({ picture, latent }: (typeof pairs)[number]): number =>
    picture / scale.picture + latent / scale.latent;
  const sorted = [...pairs].sort((a, b) => unlikeness(a) - unlikeness(b));
  const lists: Pair[][] = gallery.map(() => []);
  for (const { own, relative } of sorted) {
    if (lists[own].length < TRIED) lists[own].push({ own, relative });
  }
  return lists;
}

/**
 * Grows creatures of the gallery until they rest.
 *
 * @param indices indices in the gallery
 * @returns for each index, the creature at rest
 */
export async function growToRest(
  engine: Engine,
  model: Model,
  indices: readonly number[],
): Promise<Map<number, Resting>> {
  const grown = new Map<number, Resting>();
  for (const some of inRows(indices, BATCH)) {
    const patches = await plant(engine, model, some);
    for (const { divide } of growthSchedule(model.card)) {
      await engine.step(patches.map((patch) => ({ patch, divide })));
    }
    const { trustedSteps = 32 } = model.card;
    const last = await untilRest(engine, patches, trustedSteps);
    const states = await engine.exportStates(patches);
    await engine.dispose(patches);
    last.forEach(({ rgba, presence }, i) => {
      const alive = presence.map((value) => (value >= thresholdOf(model) ? 1 : 0));
      grown.set(some[i], { state: states[i], rgba, alive });
    });
  }
  return grown;
}

type RoundTrips = ReturnType<ReturnType<typeof watch>['result']>;

/** Whether the borrowing creature comes home and does not flash. */
export const isSafe = ({ error, flashes }: RoundTrips): boolean => error < HOME && !flashes;

/**
 * Takes pairs of a borrowing creature and its relative through several rounds of lending. A pair
 * that fails skips the remaining rounds.
 *
 * @param resting the borrowing creatures at rest, indexed as in the gallery
 * @returns results in the order of `pairs`
 */
export async function roundTrips(
  engine: Engine,
  model: Model,
  resting: ReadonlyMap<number, Resting>,
  pairs: readonly Pair[],
  { lentSteps, homeSteps }: Omit<Relatives, 'of'>,
): Promise<RoundTrips[]> {
  const results: RoundTrips[] = [];
  for (const some of inRows(pairs, BATCH)) {
    const owners = some.map(({ own }) => own);
    const patches = await plant(engine, model, owners);
    await engine.importStates(
      owners.map((own, i) => ({ patch: patches[i], state: resting.get(own)!.state })),
    );
    const tickRate = Math.min(60, lentSteps + homeSteps);
    const watched = owners.map((own) => watch(resting.get(own)!, model, tickRate));
    const look = (readouts: readonly Readout[]): void => {
      for (const readout of readouts) watched[patches.indexOf(readout.patch)].see(readout);
    };
    let going = [...some.keys()];
    for (let round = 0; round < ROUNDS && going.length > 0; round++) {
      const ids = going.map((i) => patches[i]);
      const own = going.map((i) => galleryLatent(model, some[i].own));
      const lent = going.map((i) => galleryLatent(model, some[i].relative));
      for (let step = 0; step < lentSteps; step++) {
        look(await stepAll(engine, ids, step === 0 ? lent : undefined));
      }
      const last = await untilRest(engine, ids, homeSteps, own, look);
      last.forEach((readout, k) => {
        watched[going[k]].home(readout);
      });
      going = going.filter((i) => isSafe(watched[i].result()));
    }
    await engine.dispose(patches);
    results.push(...watched.map((one) => one.result()));
  }
  return results;
}

/**
 * Watches one organism as a room shows it, with bare ground around it. @param tickRate steps that
 * count as one second
 */
export function watch(resting: Resting, model: Model, tickRate: number) {
  const { side } = model.card;
  const threshold = thresholdOf(model);
  const grid = new GridPlanes(side, side);
  const organism = newOrganism({
    ...{ id: 1, patch: 1, window: { x: 0, y: 0, width: side, height: side }, stage: side },
    ...{ latent: new Float32Array(), origin: 'gallery', kind: '', parents: [], born: 0 },
    planter: { id: 0, name: '', hue: 0 },
  });
  const show = (rgba: Uint8Array, isHeld: (place: number) => boolean): void => {
    resting.alive.forEach((_, place) => {
      const held = isHeld(place);
      grid.planes.owner[place] = held ? 1 : 0;
      for (let c = 4 * place; c < 4 * place + 4; c++) grid.planes.rgba[c] = held ? rgba[c] : 0;
    });
  };
  let [error, flashes, tick] = [0, false, 0];
  show(resting.rgba, (place) => resting.alive[place] === 1);
  remember(organism, grid, 0);
  return {
    /** Records a step of the organism. */
    see({ rgba, presence }: Readout): void {
      // A position that the organism holds at rest stays its own, even if the expressed relative
      // has no living cell there.
      show(rgba, (place) => presence[place] >= threshold || resting.alive[place] === 1);
      if (hasFlashed(organism, grid, { tick: ++tick, tickRate, limit: 2 })) flashes = true;
    },
    /** Records that the organism rests again. */
    home({ rgba }: Readout): void {
      error = Math.max(error, meanSquare(rgba, resting.rgba));
    },
    result() {
      return {
        /**
         * Largest mean squared difference, over all returns, between the picture and the picture at
         * rest, 0…1.
         */
        error,
        /**
         * Whether the organism flashed so often that a room would stop it, if all steps of a round
         * took one second.
         */
        flashes,
      };
    },
  };
}

const thresholdOf = ({ card }: Model): number => Math.ceil(card.presence.threshold * 255);

async function plant(engine: Engine, model: Model, indices: readonly number[]): Promise<PatchId[]> {
  const checkpoint = model.card.name;
  const patches = indices.map((index, i) => {
    return { patch: i + 1, checkpoint, latent: galleryLatent(model, index) };
  });
  await engine.plant(patches);
  return patches.map(({ patch }) => patch);
}

const stepAll = (
  engine: Engine,
  patches: readonly PatchId[],
  express?: readonly Float32Array[],
): Promise<Readout[]> =>
  engine.step(
    patches.map((patch, i) => ({
      ...{ patch, divide: false },
      ...(express && { express: { latents: [express[i]] } }),
    })),
  );

/**
 * Steps patches until each has not changed visibly for some steps, as in rule LIF-1.
 *
 * @param most maximum number of steps
 * @param express one latent [Z] per patch, expressed in the first step
 * @param look called with the read-outs of each step
 * @returns the last read-out of each patch
 */
async function untilRest(
  engine: Engine,
  patches: readonly PatchId[],
  most: number,
  express?: readonly Float32Array[],
  look?: (readouts: readonly Readout[]) => void,
): Promise<Readout[]> {
  const { restLevel, restSteps } = LIFE;
  const rested = new Map(patches.map((patch) => [patch, 0]));
  const last = new Map<PatchId, Readout>();
  for (let step = 0, awake = patches; step < most && awake.length > 0; step++) {
    const readouts = await stepAll(engine, awake, step === 0 ? express : undefined);
    look?.(readouts);
    for (const readout of readouts) {
      const { patch, change } = readout;
      last.set(patch, readout);
      rested.set(patch, change <= restLevel ? rested.get(patch)! + 1 : 0);
    }
    awake = awake.filter((patch) => rested.get(patch)! < restSteps);
  }
  return patches.map((patch) => last.get(patch)!);
}
