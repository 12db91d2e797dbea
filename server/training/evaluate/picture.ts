/** Compares the pictures of organisms. */

import { UMAP } from 'umap-js';
import type { MapPoint } from '../../../shared/latent-map.ts';
import type { Random } from '../../../shared/random.ts';
import type { Card } from '../../vnca/card.ts';
import { fill, pushApart } from '../../vnca/gallery-map.ts';
import { createReadout, imageChannels } from '../../vnca/readout.ts';
import { Canvas, type Tile } from '../pictures/sheet.ts';

/** Pictures with a smaller mean squared difference look the same to people. */
export const SAME = 0.01;
/** A stricter bar: some creatures are within `SAME` of another one. */
export const STRICTLY_SAME = 0.002;

/**
 * Pictures as a room shows them, with 8 bits: premultiplied RGBA; ink; or the mean colour of a
 * mixture. Cells of zeros are empty, and NaN becomes 0.
 *
 * @param states [N, side, side, C]
 * @returns [N, side, side, 1 | 3 | 4], 0…1
 */
export function picturesOf(card: Card, states: Float32Array): Float32Array {
  const cells = states.length / card.channels;
  const rgba = new Uint8Array(4 * cells);
  createReadout(card)(states, 0, rgba, new Uint8Array(cells));
  const c = imageChannels(card.readout);
  const pictures = new Float32Array(cells * c);
  for (let i = 0; i < pictures.length; i++) {
    pictures[i] = rgba[4 * Math.floor(i / c) + (i % c)] / 255;
  }
  return pictures;
}

/**
 * Mean squared difference of each picture.
 *
 * @param a [N, …], 0…1
 * @param b as `a`
 * @param count N
 * @returns [N], 0…1
 */
export function differences(a: Float32Array, b: Float32Array, count: number): Float32Array {
  const size = a.length / count;
  return Float32Array.from({ length: count }, (_, n) => {
    let sum = 0;
    for (let i = n * size; i < (n + 1) * size; i++) sum += (a[i] - b[i]) ** 2;
    return sum / size;
  });
}

/** Similarity of pictures before and after. */
export interface Likeness {
  /** Share of organisms that look the same: mean squared difference below 0.01. */
  readonly share: number;
  /** Share of those with a mean squared difference below 0.002. */
  readonly strict: number;
  /** Mean over organisms of the mean squared difference. */
  readonly mse: number;
  readonly median: number;
  readonly organisms: number;
}

/** Summarises mean squared differences, one per organism. */
export function likeness(errors: Float32Array): Likeness {
  const sorted = Float32Array.from(errors).sort();
  const middle = (sorted.length - 1) / 2;
  const within = (bar: number): number =>
    errors.filter((error) => error < bar).length / errors.length;
  return {
    share: within(SAME),
    strict: within(STRICTLY_SAME),
    mse: mean(errors),
    median: (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2,
    organisms: errors.length,
  };
}

/**
 * Mean gradient of pictures by the Sobel operator, zeros around them: how much edge they have. Blurred
 * pictures have less.
 *
 * @param pictures [N, side, side, c], 0…1
 * @returns mean magnitude over all numbers
 */
export function edgesOf(pictures: Float32Array, side: number, channels: number): number {
  const row = side * channels;
  let sum = 0;
  for (let i = 0; i < pictures.length; i++) {
    const x = Math.floor(i / channels) % side;
    const y = Math.floor(i / row) % side;
    const at = (dx: number, dy: number): number => {
      const isInside = x + dx >= 0 && x + dx < side && y + dy >= 0 && y + dy < side;
      return isInside ? pictures[i + dy * row + dx * channels] : 0;
    };
    const [nw, n, ne] = [at(-1, -1), at(0, -1), at(1, -1)];
    const [sw, s, se] = [at(-1, 1), at(0, 1), at(1, 1)];
    const across = ne + 2 * at(1, 0) + se - nw - 2 * at(-1, 0) - sw;
    const down = sw + 2 * s + se - nw - 2 * n - ne;
    sum += Math.hypot(across, down);
  }
  return sum / pictures.length;
}

/** Arithmetic mean. */
export const mean = (numbers: ArrayLike<number>): number =>
  Array.from(numbers).reduce((sum, x) => sum + x, 0) / numbers.length;

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
