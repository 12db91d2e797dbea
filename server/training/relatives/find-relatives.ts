/**
 * Finds each gallery creature's relatives: other creatures that it can look like for a moment. In
 * a test, a creature reads a possible relative's latent for some steps, then its own latent again.
 * The relative is suitable if the creature returns to its own picture and does not flash.
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

/** Maximum number of relatives per creature in the table. */
const EACH = 3;
/**
 * Number of rounds in which a creature is tested with a possible relative. After each round, the
 * creature must look like itself again.
 */
const ROUNDS = 20;
/**
 * Numbers of steps in a round: the creature reads the relative's latent for `lentSteps` steps, then
 * its own latent for at most `homeSteps` steps.
 */
const ROUND = { lentSteps: 12, homeSteps: 20 };
/** Maximum number of relatives tried per creature. */
const TRIED = 8;
/** Two cells look different if a colour value (0…255) differs by at least this number. */
const VISIBLE = 32;
/** Minimum number of cells that look different in the relative and the creature. */
const LEAST_CHANGED = 60;
/**
 * Maximum number of positions with a living cell in the relative but not in the creature, as a
 * share of the creature's living cells.
 */
const MOST_OUTSIDE = 0.2;
/**
 * Maximum number of positions with a living cell in the creature but not in the relative, as a
 * share of the creature's living cells.
 */
const MOST_LACKING = 0.4;
/**
 * A creature has returned to its own picture if the mean squared difference (0…1) from its picture
 * at rest is below this value.
 */
export const HOME = 0.002;
/** Maximum number of patches stepped together, to limit memory. */
const BATCH = 128;

/** Gallery indices of a creature (`own`) and of a possible relative. */
interface Pair {
  readonly own: number;
  readonly relative: number;
}

interface Resting {
  /** [S, S, C] */
  readonly state: Float32Array;
  /** [S, S, 4] Premultiplied RGBA, 0…255. */
  readonly rgba: Uint8Array;
  /** [S, S] 1 for living cells, else 0. */
  readonly alive: Uint8Array;
}

/**
 * Finds the relatives of each gallery creature. Tests the most similar creatures first, until
 * `EACH` relatives are found.
 *
 * @param say prints progress
 * @returns `table`: the relatives of each creature; `pairs`: all pairs in the table, with their
 *   measurements; `tried`: number of pairs tried
 */
export async function findRelatives(engine: Engine, model: Model, say: (line: string) => void) {
  const grown = await growToRest(engine, model, [...model.card.gallery.keys()]);
  const resting = [...grown.values()];
  let waiting = likest(model, resting);
  const kept: (Pair & RoundTrips)[][] = resting.map(() => []);
  let tried = 0;
  for (;;) {
    // For each creature, try only as many relatives as the creature still needs.
    const next = waiting.flatMap((some, own) => some.slice(0, EACH - kept[own].length));
    if (next.length === 0) break;
    say(`trying ${next.length} pairs of creatures`);
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

/** Returns whether a relative has about the same living cells as a creature but looks different. */
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
 * Lists the relatives to try for each creature: creatures of the same kind, starting with those
 * whose pictures and latents are most similar.
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
 * Grows gallery creatures until they are at rest.
 *
 * @param indices gallery indices of the creatures
 * @returns the creatures at rest, by index
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

/** Returns whether a creature always returned to its own picture and did not flash. */
export const isSafe = ({ error, flashes }: RoundTrips): boolean => error < HOME && !flashes;

/**
 * Tests pairs in `ROUNDS` rounds. In each round, a creature reads its relative's latent, then its
 * own latent. If a pair fails a round, its remaining rounds are skipped.
 *
 * @param resting the creatures at rest, by gallery index
 * @returns measurements in the order of `pairs`
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
 * Creates an observer that measures whether an organism flashes and returns to its picture at rest.
 *
 * @param resting the organism at rest
 * @param tickRate number of steps per second in the room
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
    /** Shows the organism to the observer. Must be called after each step. */
    see({ rgba, presence }: Readout): void {
      // As in a room, dead cells that were alive at rest still belong to the organism.
      show(rgba, (place) => presence[place] >= threshold || resting.alive[place] === 1);
      if (hasFlashed(organism, grid, { tick: ++tick, tickRate, limit: 2 })) flashes = true;
    },
    /** Compares the organism with its picture at rest. Must be called at the end of each round. */
    home({ rgba }: Readout): void {
      error = Math.max(error, meanSquare(rgba, resting.rgba));
    },
    result() {
      return {
        /**
         * Maximum mean squared difference, 0…1, between the picture at the end of a round and the
         * picture at rest.
         */
        error,
        /** Whether the organism flashed so often that a room would pause the organism. */
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
 * Steps patches until they are at rest (rule LIF-1 in shared/RULES.md).
 *
 * @param most maximum number of steps
 * @param express latents that patches read from now on, [Z] per patch; if absent, latents stay
 *   unchanged
 * @param look called after each step, with the read-outs of all patches that were stepped
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
