/**
 * The latent map shows gallery creatures as points. A seed from any other point grows into a mix of
 * the nearest creatures. This module computes the creatures' shares in the mix.
 */

/** A point on the latent map. Both coordinates are 0…1. */
export interface MapPoint {
  readonly x: number;
  readonly y: number;
}

/**
 * Positions of the gallery's creatures on the latent map, in gallery order; null if a creature is
 * not on the map.
 */
export type MapPlaces = readonly (MapPoint | null)[];

export interface MapWeight {
  /** Index of the creature in the gallery. */
  readonly index: number;
  /** Share of the creature in the mix. All shares add up to 1. */
  readonly share: number;
}

/** Maximum number of creatures that contribute to a point of the latent map. */
const NEIGHBOURS = 4;
/** Distances smaller than `SAME` count as zero. */
const SAME = 1e-9;

/**
 * Computes the shares of the creatures nearest to a point, by inverse distance (Shepard 1968, with
 * the weights of Franke and Little). The shares change continuously as the point moves.
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
  // A weight is 0 if a creature is as far away as the nearest creature outside `near`. Replace 0 by
  // a tiny weight, because `total` must not be 0.
  const weights = near.map(({ distance }) => (1 / distance - 1 / reach) ** 2 || Number.MIN_VALUE);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return near.map(({ index }, i) => ({ index, share: weights[i] / total }));
}
