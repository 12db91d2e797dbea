/**
 * A map of latents in two dimensions, with similar ones close together (UMAP, McInnes et al. 2018).
 */
import { UMAP } from 'umap-js';
import type { Random } from '../../../shared/random.ts';
import { Canvas, SHEET_COLOURS } from '../pictures/canvas.ts';
import type { Tile } from '../pictures/tile.ts';

/** A position on the map, 0…1 from the left and from the top. */
export interface MapPoint {
  readonly x: number;
  readonly y: number;
}

const NEIGHBOURS = 12;
/** UMAP needs at least this many points. */
const FEWEST = 5;

/**
 * Places latents on a map; the longer side spans 0…1.
 *
 * @param latents [N, Z]
 * @returns N positions; null for fewer than five latents
 */
export function mapLatents(
  latents: Float32Array,
  count: number,
  random: Random,
): readonly MapPoint[] | null {
  if (count < FEWEST) return null;
  const z = latents.length / count;
  const rows = Array.from({ length: count }, (_, n) => [...latents.subarray(n * z, (n + 1) * z)]);
  const umap = new UMAP({
    nComponents: 2,
    nNeighbors: Math.min(NEIGHBOURS, count - 1),
    minDist: 0.3,
    random: () => random.uniform(),
  });
  const points = umap.fit(rows);
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const span = Math.max(Math.max(...xs) - left, Math.max(...ys) - top) || 1;
  return points.map(([x, y]) => ({ x: (x - left) / span, y: (y - top) / span }));
}

/** Iterations of `spread`. */
const ROUNDS = 200;

/**
 * Moves positions apart until thumbnails hardly overlap, as little as possible.
 *
 * @param distance between neighbours, as a share of the map's side
 */
export function spread(places: readonly MapPoint[], distance: number): MapPoint[] {
  const xs = places.map(({ x }) => x);
  const ys = places.map(({ y }) => y);
  for (let round = 0; round < ROUNDS; round++) {
    for (let a = 0; a < places.length; a++) {
      for (let b = a + 1; b < places.length; b++) {
        const [dx, dy] = [xs[b] - xs[a], ys[b] - ys[a]];
        const apart = Math.hypot(dx, dy);
        if (apart >= distance) continue;
        // Points at the same position separate in a direction that depends on their index.
        const [ux, uy] = apart > 0 ? [dx / apart, dy / apart] : [Math.cos(b), Math.sin(b)];
        const push = (distance - apart) / 4;
        xs[a] -= ux * push;
        ys[a] -= uy * push;
        xs[b] += ux * push;
        ys[b] += uy * push;
      }
    }
  }
  return xs.map((x, i) => ({ x, y: ys[i] }));
}

/**
 * Draws thumbnails at their positions.
 *
 * @param side of the picture, pixels
 * @returns a PNG file
 */
export function drawMap(tiles: readonly Tile[], places: readonly MapPoint[], side = 1600): Buffer {
  const thumb = tiles[0].side;
  const moved = spread(places, (0.9 * thumb) / side);
  const extent = (pick: (place: MapPoint) => number): readonly [number, number] => [
    Math.min(...moved.map(pick)),
    Math.max(...moved.map(pick)),
  ];
  const [left, right] = extent(({ x }) => x);
  const [top, bottom] = extent(({ y }) => y);
  const margin = 2 * thumb;
  const scale = (side - 2 * margin - thumb) / Math.max(right - left, bottom - top, 1e-9);
  const width = Math.round((right - left) * scale) + 2 * margin + thumb;
  const height = Math.round((bottom - top) * scale) + 2 * margin + thumb;
  const canvas = new Canvas(width, height, SHEET_COLOURS.ground);
  tiles.forEach((tile, i) => {
    const x = margin + Math.round((moved[i].x - left) * scale);
    const y = margin + Math.round((moved[i].y - top) * scale);
    canvas.draw(tile, x, y, 1);
  });
  return canvas.encode();
}
