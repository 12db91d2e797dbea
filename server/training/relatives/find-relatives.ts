/** Finds the relatives that the creatures of a gallery can express. */
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { Engine, PatchId, Readout } from '../../engine/engine.ts';
import { growthSchedule } from '../../vnca/architecture.ts';
import { galleryLatent, type Model } from '../../vnca/checkpoint.ts';
import { distance, selectGallery } from '../../vnca/gallery.ts';
import type { Relatives } from '../../vnca/relatives.ts';
import { GridPlanes } from '../../world/grid-planes.ts';
import { hasFlashed, remember } from '../../world/organisms/flicker.ts';
import { newOrganism, type Organism } from '../../world/organisms/organism.ts';
import { meanSquare } from '../pictures/sheet.ts';

/** Gallery indices: who borrows, and from whom. */
export interface Pair {
  readonly own: number;
  readonly relative: number;
}

/** How a round goes. */
export interface Round {
  /** Steps with the relative's latent. */
  readonly lentSteps: number;
  /** Most steps with its own after that; it rests earlier if it no longer changes. */
  readonly homeSteps: number;
}

/** A gallery creature, grown and at rest. */
export interface Resting {
  /** [S, S, C] */
  readonly state: Float32Array;
  /** [S, S, 4] */
  readonly rgba: Uint8Array;
  /** [S, S], 1 = the cell is alive. */
  readonly alive: Uint8Array;
}

/** What a pair did. */
export interface RoundTrips {
  /** Largest mean squared difference of the picture to that at rest, of all returns; 0…1. */
  readonly error: number;
  /** Whether it has flashed as often as a room allows, were all steps of a round in one second. */
  readonly flashes: boolean;
  /** [S, S, 4] at the end of the first loan. */
  readonly expression: Uint8Array;
}

/** A picture is back when its mean squared difference is below this. */
export const HOME = 0.002;

/** Whether a pair comes home and does not flash. */
export const isSafe = ({ error, flashes }: RoundTrips): boolean => error < HOME && !flashes;

/** Patches at once; bounds memory. */
const BATCH = 128;

/**
 * Grows creatures of the gallery until they rest.
 *
 * @param indices of the gallery
 * @returns by index
 */
export async function growToRest(
  engine: Engine,
  model: Model,
  indices: readonly number[],
): Promise<Map<number, Resting>> {
  const grown = await inBatches(indices, async (some) => {
    const patches = await plant(engine, model, some);
    for (const { divide } of growthSchedule(model.card)) {
      await engine.step(patches.map((patch) => ({ patch, divide })));
    }
    const { trustedSteps = 32 } = model.card;
    const last = await untilRest(engine, patches, trustedSteps);
    const states = await engine.exportStates(patches);
    await engine.dispose(patches);
    return last.map(({ rgba, presence }, i) => ({
      state: states[i],
      rgba,
      alive: presence.map((value) => (value >= thresholdOf(model) ? 1 : 0)),
    }));
  });
  return new Map(indices.map((index, i) => [index, grown[i]]));
}

/**
 * Runs pairs through several rounds; one that fails goes no further.
 *
 * @param resting those who borrow, by index
 * @returns in the order of `pairs`
 */
export function roundTrips(
  engine: Engine,
  model: Model,
  resting: ReadonlyMap<number, Resting>,
  pairs: readonly Pair[],
  { lentSteps, homeSteps, rounds }: Round & { readonly rounds: number },
): Promise<RoundTrips[]> {
  return inBatches(pairs, async (some) => {
    const patches = await plant(
      engine,
      model,
      some.map(({ own }) => own),
    );
    await engine.importStates(
      some.map(({ own }, i) => ({ patch: patches[i], state: resting.get(own)!.state })),
    );
    const watched = some.map(
      ({ own }) => new Watched(resting.get(own)!, model, Math.min(60, lentSteps + homeSteps)),
    );
    const look = (readouts: readonly Readout[]): void => {
      for (const readout of readouts) watched[patches.indexOf(readout.patch)].see(readout);
    };
    let going = [...some.keys()];
    for (let round = 0; round < rounds && going.length > 0; round++) {
      const ids = going.map((i) => patches[i]);
      const own = going.map((i) => galleryLatent(model, some[i].own));
      const lent = going.map((i) => galleryLatent(model, some[i].relative));
      for (let step = 0; step < lentSteps; step++) {
        look(await stepAll(engine, ids, step === 0 ? lent : undefined));
      }
      for (const i of going) watched[i].lent();
      const last = await untilRest(engine, ids, homeSteps, { express: own, look });
      last.forEach((readout, k) => {
        watched[going[k]].home(readout);
      });
      going = going.filter((i) => isSafe(watched[i].result()));
    }
    await engine.dispose(patches);
    return watched.map((one) => one.result());
  });
}

/** What a room would show of one organism that has ground around it. */
class Watched {
  private error = 0;
  private flashes = false;
  private expression: Uint8Array | undefined;
  private tick = 0;
  private last: Readout | undefined;
  private readonly grid: GridPlanes;
  private readonly organism: Organism;

  constructor(
    private readonly resting: Resting,
    private readonly model: Model,
    private readonly tickRate: number,
  ) {
    const { side } = model.card;
    this.grid = new GridPlanes(side, side);
    this.organism = newOrganism({
      ...{ id: 1, patch: 1, window: { x: 0, y: 0, width: side, height: side }, stage: side },
      ...{ latent: new Float32Array(), origin: 'gallery', kind: '', parents: [], born: 0 },
      planter: { id: 0, name: '', hue: 0 },
    });
    this.show(resting.rgba, resting.alive);
    remember(this.organism, this.grid, 0);
  }

  see(readout: Readout): void {
    const threshold = thresholdOf(this.model);
    this.last = readout;
    this.show(
      readout.rgba,
      // A place that it holds at rest stays its own, whatever it expresses there.
      readout.presence.map((value, cell) =>
        value >= threshold || this.resting.alive[cell] === 1 ? 1 : 0,
      ),
    );
    const moment = { tick: ++this.tick, tickRate: this.tickRate, limit: 2 } as const;
    if (hasFlashed(this.organism, this.grid, moment)) this.flashes = true;
  }

  /** The loan is over. */
  lent(): void {
    this.expression ??= this.last?.rgba;
  }

  /** It rests again. */
  home({ rgba }: Readout): void {
    this.error = Math.max(this.error, meanSquare(rgba, this.resting.rgba));
  }

  result(): RoundTrips {
    const { error, flashes, expression = this.resting.rgba } = this;
    return { error, flashes, expression };
  }

  private show(rgba: Uint8Array, held: Uint8Array): void {
    const { planes } = this.grid;
    held.forEach((isHeld, place) => {
      planes.owner[place] = isHeld;
      for (let c = 4 * place; c < 4 * place + 4; c++) planes.rgba[c] = isHeld ? rgba[c] : 0;
    });
  }
}

const thresholdOf = ({ card }: Model): number => Math.ceil(card.presence.threshold * 255);

async function plant(
  engine: Engine,
  { card, ...model }: Model,
  indices: readonly number[],
): Promise<PatchId[]> {
  const patches = indices.map((index, i) => ({
    ...{ patch: i + 1, checkpoint: card.name },
    latent: galleryLatent({ card, ...model }, index),
  }));
  await engine.plant(patches);
  return patches.map(({ patch }) => patch);
}

const stepAll = (
  engine: Engine,
  patches: readonly PatchId[],
  express?: readonly Float32Array[],
): Promise<Readout[]> =>
  engine.step(
    patches.map((patch, i) => ({ patch, divide: false, ...(express && { express: express[i] }) })),
  );

/**
 * Steps patches until each has not changed visibly for some steps, as rule LIF-1 has it.
 *
 * @param most steps
 * @param first.express [Z] each, in the first step
 * @returns the last read-out of each
 */
async function untilRest(
  engine: Engine,
  patches: readonly PatchId[],
  most: number,
  first: {
    readonly express?: readonly Float32Array[];
    readonly look?: (readouts: readonly Readout[]) => void;
  } = {},
): Promise<Readout[]> {
  const { restLevel, restSteps } = DEFAULTS.life;
  const rested = new Map(patches.map((patch) => [patch, 0]));
  const last = new Map<PatchId, Readout>();
  for (let step = 0, awake = patches; step < most && awake.length > 0; step++) {
    const readouts = await stepAll(engine, awake, step === 0 ? first.express : undefined);
    first.look?.(readouts);
    for (const readout of readouts) {
      const { patch, change } = readout;
      last.set(patch, readout);
      rested.set(patch, change <= restLevel ? rested.get(patch)! + 1 : 0);
    }
    awake = awake.filter((patch) => rested.get(patch)! < restSteps);
  }
  return patches.map((patch) => last.get(patch)!);
}

async function inBatches<T, R>(
  items: readonly T[],
  run: (some: readonly T[]) => Promise<R[]>,
): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += BATCH) {
    results.push(...(await run(items.slice(at, at + BATCH))));
  }
  return results;
}

/** Likest creatures of its kind that are tried, for each. */
const TRIED = 8;
/** Difference of a value, of 255, that everybody sees. */
const VISIBLE = 32;
/** Places at which a relative must look visibly different, to be worth it. */
const LEAST_CHANGED = 60;
/** Most places that a relative may have beyond the body, and may lack of it; shares of the body. */
const MOST_OUTSIDE = 0.2;
const MOST_LACKING = 0.4;

/** What is asked for. */
export interface RelativesQuery extends Round {
  /** Relatives of each creature, at most. */
  readonly each: number;
  /** Rounds in a row after which a pair must still come home. */
  readonly rounds: number;
}

/** A pair that was tried. */
export interface Tried extends Pair, RoundTrips {}

/** The table, and the pairs in it. */
export interface Found {
  readonly table: Relatives;
  readonly pairs: readonly Tried[];
  /** The gallery, in its order. */
  readonly resting: readonly Resting[];
  /** Number of pairs that were tried. */
  readonly tried: number;
}

/**
 * Tries the likest creatures of each kind in turn, and keeps those that come home.
 *
 * @param say reports progress
 */
export async function findRelatives(
  engine: Engine,
  model: Model,
  { each, rounds, ...round }: RelativesQuery,
  say: (line: string) => void,
): Promise<Found> {
  const grown = await growToRest(engine, model, [...model.card.gallery.keys()]);
  const resting = [...grown.values()];
  let waiting = likest(model, resting);
  const kept: Tried[][] = resting.map(() => []);
  let tried = 0;
  for (;;) {
    // Only as many as are still missing, since most come home.
    const next = waiting.flatMap((some, own) => some.slice(0, each - kept[own].length));
    if (next.length === 0) break;
    say(`${next.length} pairs are tried`);
    const trips = await roundTrips(engine, model, grown, next, { ...round, rounds });
    next.forEach((pair, i) => {
      if (isSafe(trips[i])) kept[pair.own].push({ ...pair, ...trips[i] });
    });
    tried += next.length;
    waiting = waiting.map((some) => some.filter((one) => !next.includes(one)));
  }
  const of = kept.map((some) => some.map(({ relative }) => relative));
  return {
    table: { lentSteps: round.lentSteps, homeSteps: round.homeSteps, of },
    pairs: kept.flat(),
    resting,
    tried,
  };
}

/** Whether a relative looks different enough, and has about the same body. */
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
 * The likest of the same kind for each creature, by picture and by latent, that are worth it; the
 * likest first.
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
  const scale = { picture: mean(pairs, 'picture'), latent: mean(pairs, 'latent') };
  const unlikeness = ({ picture, latent }: (typeof pairs)[number]): number =>
    picture / scale.picture + latent / scale.latent;
  const sorted = [...pairs].sort((a, b) => unlikeness(a) - unlikeness(b));
  const lists: Pair[][] = gallery.map(() => []);
  for (const { own, relative } of sorted) {
    if (lists[own].length < TRIED) lists[own].push({ own, relative });
  }
  return lists;
}

function mean<K extends string>(items: readonly Record<K, number>[], key: K): number {
  return items.reduce((sum, item) => sum + item[key], 0) / Math.max(1, items.length);
}
