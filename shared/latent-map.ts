/** The latent map: who has a say in what grows at a place of it, and how much. */

/** A place of the map, 0…1 each. */
export interface MapPoint {
  readonly x: number;
  readonly y: number;
}

export interface MapWeight {
  /** In the gallery. */
  readonly index: number;
  /** All of them add up to 1. */
  readonly share: number;
}

/** Creatures that have a say at a place. */
const NEIGHBOURS = 4;
/** Nearer than this is on it. */
const SAME = 1e-9;

/**
 * The nearest few, by inverse distance (Shepard 1968; by Franke and Little's weights, which fall to nothing where another becomes
 * one of the nearest, so that nothing jumps).
 *
 * @returns the nearest first
 */
export function weightsAt(places: readonly MapPoint[], { x, y }: MapPoint): MapWeight[] {
  const all = places
    .map((place, index) => ({ index, distance: Math.hypot(place.x - x, place.y - y) }))
    .sort((a, b) => a.distance - b.distance || a.index - b.index);
  if (all.length > 0 && all[0].distance < SAME) return [{ index: all[0].index, share: 1 }];
  const reach = all[NEIGHBOURS]?.distance ?? Number.POSITIVE_INFINITY;
  const near = all.slice(0, NEIGHBOURS);
  // Where all are equally far, none may count for nothing.
  const weights = near.map(({ distance }) => (1 / distance - 1 / reach) ** 2 || Number.MIN_VALUE);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return near.map(({ index }, i) => ({ index, share: weights[i] / total }));
}
