/**
 * The latent map shows each gallery creature as a point. For any other point, this module computes
 * how much each creature contributes to the mix that grows there.
 */

/** A point on the latent map. Both coordinates are 0…1. */
export interface MapPoint {
  readonly x: number;
  readonly y: number;
}

/**
 * Points of the gallery entries on the latent map, in gallery order; null for an entry that is not
 * on the map.
 */
export type MapPlaces = readonly (MapPoint | null)[];

export interface MapWeight {
  /** Index of the creature in the gallery. */
  readonly index: number;
  /** Share of the creature in the mix. The shares of all creatures add up to 1. */
  readonly share: number;
}

/** Maximum number of creatures that contribute to a point of the latent map. */
const NEIGHBOURS = 4;
/** Distances smaller than this count as zero. */
const SAME = 1e-9;

/**
 * Computes the shares of the creatures nearest to a point, by inverse distance (Shepard 1968), with
 * the weights of Franke and Little. As a point moves on the map, one of these creatures may be
 * replaced by another. At that moment the shares of both are zero, so the mix changes continuously.
 *
 * @returns the nearest creature first
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
  // If all of these creatures and the next nearest one are at the same distance, all weights are
  // zero. Use a tiny weight instead, so that the sum is not zero.
  const weights = near.map(({ distance }) => (1 / distance - 1 / reach) ** 2 || Number.MIN_VALUE);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return near.map(({ index }, i) => ({ index, share: weights[i] / total }));
}
