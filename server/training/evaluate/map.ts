/**
 * A map of latents in two dimensions, with similar ones close together (UMAP, McInnes et al. 2018).
 */
import { UMAP } from 'umap-js';
import type { MapPoint } from '../../../shared/latent-map.ts';
import type { Random } from '../../../shared/random.ts';
import { fill, pushApart } from '../../vnca/latent-map.ts';
import { Canvas } from '../pictures/canvas.ts';
import type { Tile } from '../pictures/tile.ts';

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
  return fill(umap.fit(rows).map(([x, y]) => ({ x, y })));
}

/** Iterations that move thumbnails apart. */
const ROUNDS = 200;

/**
 * Draws thumbnails at their positions.
 *
 * @param side of the picture, pixels
 * @returns a PNG file
 */
export function drawMap(tiles: readonly Tile[], places: readonly MapPoint[], side = 1600): Buffer {
  const thumb = tiles[0].side;
  // Until they hardly overlap.
  const moved = pushApart(places, { distance: (0.9 * thumb) / side, rounds: ROUNDS });
  const margin = 2 * thumb;
  const scale = side - 2 * margin - thumb;
  const corners = fill(moved).map(({ x, y }) =>
    [x, y].map((of) => margin + Math.round(of * scale)),
  );
  const [width, height] = [0, 1].map((axis) => Math.max(...corners.map((at) => at[axis])));
  const canvas = new Canvas(width + margin + thumb, height + margin + thumb);
  tiles.forEach((tile, i) => {
    canvas.draw(tile, corners[i][0], corners[i][1]);
  });
  return canvas.encode();
}
