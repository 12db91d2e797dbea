/** Finds the relatives that the creatures of a gallery can express. */
import type { Engine } from '../../engine/engine.ts';
import { galleryLatent, type Model } from '../../vnca/checkpoint.ts';
import { selectGallery } from '../../vnca/gallery-selection.ts';
import type { Relatives } from '../../vnca/relatives.ts';
import {
  growToRest,
  meanSquare,
  type Pair,
  type Resting,
  type Round,
  type RoundTrips,
  roundTrips,
} from './round-trip.ts';

/** Likest creatures of its kind that are tried, for each. */
const TRIED = 14;
/** A picture is back when its mean squared difference is below this. */
export const HOME = 0.002;
/** Places that an expression must change to be worth it. */
const LEAST_CHANGED = 60;
/** Most places that it may take beyond the body, as a share of the body. */
const MOST_OUTSIDE = 0.15;

/** What is asked for. */
export interface Wanted extends Round {
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

/** Whether a pair comes home and does not flash. */
export const isSafe = ({ error, flashes }: RoundTrips): boolean => error < HOME && !flashes;

/**
 * Tries the likest creatures of each kind in turn, and keeps those that come home.
 *
 * @param say reports progress
 */
export async function findRelatives(
  engine: Engine,
  model: Model,
  { each, rounds, ...round }: Wanted,
  say: (line: string) => void,
): Promise<Found> {
  const grown = await growToRest(engine, model, [...model.card.gallery.keys()]);
  const resting = [...grown.values()];
  const run = async (pairs: readonly Pair[], times: number): Promise<Tried[]> => {
    const trips = await roundTrips(engine, model, grown, pairs, { ...round, rounds: times });
    return pairs.map((pair, i) => ({ ...pair, ...trips[i] }));
  };
  const candidates = likest(model, resting);
  say(`${candidates.length} pairs are tried once`);
  const worth = (await run(candidates, 1)).filter((one) => isSafe(one) && isWorthIt(one, resting));
  let waiting = byCreature(worth, resting.length);
  const kept: Tried[][] = resting.map(() => []);
  for (;;) {
    // Only as many as are still missing, since most come home.
    const next = waiting.flatMap((some, own) => some.slice(0, each - kept[own].length));
    if (next.length === 0) break;
    say(`${next.length} pairs are tried ${rounds} times in a row`);
    for (const one of await run(next, rounds)) if (isSafe(one)) kept[one.own].push(one);
    waiting = waiting.map((some) => some.filter((one) => !next.includes(one)));
  }
  const of = kept.map((some) => some.map(({ relative }) => relative));
  return {
    table: { lentSteps: round.lentSteps, homeSteps: round.homeSteps, of },
    pairs: kept.flat(),
    resting,
    tried: candidates.length,
  };
}

function isWorthIt({ own, changed, outside }: Tried, resting: readonly Resting[]): boolean {
  const body = resting[own].alive.reduce((sum, alive) => sum + alive, 0);
  return changed >= LEAST_CHANGED && outside <= MOST_OUTSIDE * body;
}

/** The likest of the same kind for each creature, by picture and by latent; the likest first. */
function likest(model: Model, resting: readonly Resting[]): Pair[] {
  const { gallery } = model.card;
  const latents = gallery.map((_, i) => galleryLatent(model, i));
  const unsuitable = new Set(selectGallery(gallery, latents).unsuitable);
  const pairs = gallery.flatMap(({ kind }, own) =>
    gallery.flatMap((other, relative) => {
      if (other.kind !== kind || relative === own || unsuitable.has(relative)) return [];
      const picture = Math.sqrt(meanSquare(resting[own].rgba, resting[relative].rgba));
      return [{ own, relative, picture, latent: distance(latents[own], latents[relative]) }];
    }),
  );
  const scale = { picture: mean(pairs, 'picture'), latent: mean(pairs, 'latent') };
  const unlikeness = ({ picture, latent }: (typeof pairs)[number]): number =>
    picture / scale.picture + latent / scale.latent;
  const sorted = [...pairs].sort((a, b) => unlikeness(a) - unlikeness(b));
  return byCreature(sorted, gallery.length).flatMap((some) =>
    some.slice(0, TRIED).map(({ own, relative }) => ({ own, relative })),
  );
}

/** Pairs of each creature, in their order. */
function byCreature<P extends Pair>(pairs: readonly P[], count: number): P[][] {
  const lists: P[][] = Array.from({ length: count }, () => []);
  for (const pair of pairs) lists[pair.own].push(pair);
  return lists;
}

function mean<K extends string>(items: readonly Record<K, number>[], key: K): number {
  return items.reduce((sum, item) => sum + item[key], 0) / Math.max(1, items.length);
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0));
}
