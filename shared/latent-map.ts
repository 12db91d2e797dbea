/** The latent map: computes the gallery creatures' contributions to a point on the map. */

/** A point on the map, 0…1 each. */
export interface MapPoint {
  readonly x: number;
  readonly y: number;
}

/** Points of the gallery entries, in gallery order; null for an entry that is not on the map. */
export type MapPlaces = readonly (MapPoint | null)[];

export interface MapWeight {
  /** Index in the gallery. */
  readonly index: number;
  /** All shares add up to 1. */
  readonly share: number;
}

/** Maximum number of creatures that contribute to a point. */
const NEIGHBOURS = 4;
/** Distances smaller than this count as zero. */
const SAME = 1e-9;

/**
 * Computes weights of the nearest creatures by inverse distance (Shepard 1968, with Franke and
 * Little's weights, which reach zero where another creature becomes one of the nearest, so that the
 * mix is continuous).
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
  // If all creatures are equally far, all weights would be zero, so use a tiny weight instead of
  // zero.
  const weights = near.map(({ distance }) => (1 / distance - 1 / reach) ** 2 || Number.MIN_VALUE);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return near.map(({ index }, i) => ({ index, share: weights[i] / total }));
}
