/** The latent map: which gallery creatures contribute to a place on it, and how much. */

/** A point on the map, 0…1 each. */
export interface MapPoint {
  readonly x: number;
  readonly y: number;
}

/** The places of gallery entries, in gallery order; null for those that are not on the map. */
export type MapPlaces = readonly (MapPoint | null)[];

export interface MapWeight {
  /** Index in the gallery. */
  readonly index: number;
  /** All shares add up to 1. */
  readonly share: number;
}

/** Creatures that contribute to a place. */
const NEIGHBOURS = 4;
/** Smaller distances count as zero. */
const SAME = 1e-9;

/**
 * Weights of the nearest creatures by inverse distance (Shepard 1968, with Franke and Little's
 * weights, which reach zero where another creature becomes one of the nearest, so that the mix is
 * continuous).
 *
 * @returns the nearest first
 */
export function weightsAt(places: MapPlaces, { x, y }: MapPoint): MapWeight[] {
  const all = places
    .flatMap((place, index) =>
      place ? [{ index, distance: Math.hypot(place.x - x, place.y - y) }] : [],
    )
    .sort((a, b) => a.distance - b.distance || a.index - b.index);
  if (all.length > 0 && all[0].distance < SAME) return [{ index: all[0].index, share: 1 }];
  const reach = all[NEIGHBOURS]?.distance ?? Number.POSITIVE_INFINITY;
  const near = all.slice(0, NEIGHBOURS);
  // If all are equally far, the weights must not all be zero.
  const weights = near.map(({ distance }) => (1 / distance - 1 / reach) ** 2 || Number.MIN_VALUE);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return near.map(({ index }, i) => ({ index, share: weights[i] / total }));
}
