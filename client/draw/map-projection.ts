/** Projects the latent map, with coordinates 0…1, onto a screen. */
import type { MapPoint } from '../../shared/latent-map.ts';

/** A projection onto a screen of `width` × `height` CSS pixels. */
export interface MapProjection {
  readonly width: number;
  readonly height: number;
  /** Width and height of a creature's picture, CSS pixels. */
  readonly tile: number;
  /** Centre of the map. */
  readonly middle: MapPoint;
  readonly toScreen: (place: MapPoint) => MapPoint;
  readonly scale: number;
  readonly left: number;
  readonly top: number;
}

/** Factor by which pictures exceed their share of the map; most of a picture's square is empty. */
const OVERLAP = 1.25;

/** Fits the map into a screen of `width` × `height` CSS pixels. */
export function mapProjectionOf(
  places: readonly MapPoint[],
  width: number,
  height: number,
): MapProjection {
  const [xs, ys] = [places.map(({ x }) => x), places.map(({ y }) => y)];
  const [right, bottom] = [Math.max(...xs), Math.max(...ys)];
  const count = Math.max(1, places.length);
  // Leave room for the pictures at the edge, which extend beyond their points.
  const share = Math.sqrt((Math.max(right, 0.01) * Math.max(bottom, 0.01)) / count) * OVERLAP;
  const scale = Math.min(width / (right + share), height / (bottom + share));
  const left = (width - scale * right) / 2;
  const top = (height - scale * bottom) / 2;
  return {
    width,
    height,
    tile: Math.min(64, share * scale),
    middle: { x: right / 2, y: bottom / 2 },
    toScreen: ({ x, y }) => ({ x: left + x * scale, y: top + y * scale }),
    scale,
    left,
    top,
  };
}

/** The point of the map at a screen position; may be outside 0…1. */
export function placeAt({ left, top, scale }: MapProjection, x: number, y: number): MapPoint {
  return { x: (x - left) / scale, y: (y - top) / scale };
}
