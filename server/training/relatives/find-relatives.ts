/** Finds the relatives that the creatures of a gallery can express. */

import type { Engine } from '../../engine/engine.ts';
import { galleryLatent, type Model } from '../../vnca/checkpoint.ts';
import { distance, selectGallery } from '../../vnca/gallery.ts';
import type { Relatives } from '../../vnca/relatives.ts';
import { meanSquare } from '../pictures/sheet.ts';
import {
  growToRest,
  isSafe,
  type Pair,
  type Resting,
  type Round,
  type RoundTrips,
  roundTrips,
} from './round-trip.ts';

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
