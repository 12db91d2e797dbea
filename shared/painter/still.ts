/** Paints one organism as a still picture or a thumbnail, with larger cells than on a wall. */
import { smoothstep } from '../smoothstep.ts';
import { createMap, type PaintedGenomes } from './genome-map.ts';
import { channelsOf, INPUTS, type PainterNet, REACH } from './net.ts';
import { addRamps, blendRows, catmullRom, readNeighbourhood, runLayers } from './paint.ts';

export interface Still {
  /** [side, side, 4] RGBA, not premultiplied, 0…255. */
  readonly cells: ArrayLike<number>;
  readonly side: number;
  readonly net: PainterNet;
  /** Number of pixels per side of a cell, 1…16. */
  readonly scale: number;
  /** The genomes that the organism's cells read. If absent, no genome map is used. */
  readonly genomes?: PaintedGenomes | undefined;
}

/** Maximum number of pixels per side of a cell. */
export const LARGEST_SCALE = 16;
/** How far a cell's ramps (soft edges) extend into neighbouring cells, in cells. */
const OVERLAP = 0.25;

/**
 * Paints an organism as a still picture. Unlike in `paint`, the ramps (soft edges) of neighbouring
 * cells overlap near the cells' edges and fade into each other (see `OVERLAP`), so that no steps
 * between cells are visible. Assumes that all cells that are not transparent have the same owner.
 *
 * Yields after each cell, so that the caller can do other work in between.
 *
 * @returns [scale·side, scale·side, 4] RGBA, not premultiplied, 0…255
 * @throws RangeError if the scale or the number of cells is invalid
 */
export function* paintStill(still: Still): Generator<void, Uint8ClampedArray<ArrayBuffer>> {
  const { side, scale, net, genomes } = still;
  if (still.cells.length !== 4 * side * side)
    throw new RangeError('the number of cells is not side × side');
  if (!(Number.isInteger(scale) && scale >= 1 && scale <= LARGEST_SCALE)) {
    throw new RangeError(`the scale must be 1 to ${LARGEST_SCALE}, not ${scale}`);
  }
  const cells = premultiplied(still.cells);
  const owners = Uint8Array.from({ length: side * side }, (_, i) => +(cells[4 * i + 3] > 0));
  const map = genomes && (yield* createMap(net, genomes));
  const mapOf = () => (map?.side === side ? { ...map, x: 0, y: 0 } : undefined);
  const grid = { cells, owners, width: side, height: side, mapOf };
  const sums = new Float32Array(4 * (side * scale) ** 2);
  const tissue = new Float32Array((side * scale) ** 2);
  const inputs = new Float32Array(INPUTS + channelsOf(net));
  const outputs = net.map((layer) => new Float32Array(layer.outputs));
  const places = placesOf(scale);
  const weights = Array.from({ length: scale }, (_, k) => catmullRom((k + 0.5) / scale - 0.5));
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      if (!readNeighbourhood(grid, x, y, inputs)) continue;
      const corner = { x: x * scale, y: y * scale, row: side * scale };
      addCells({ sums, tissue }, corner, inputs, weights);
      addShares(sums, corner, runLayers(net, inputs, outputs), places);
      yield;
    }
  }
  return yield* straightened(sums, tissue, 4 * side * scale);
}

/** Options for running a generator in time slices. */
export interface Slices {
  /** Duration of a time slice, in ms. */
  readonly slice: number;
  readonly now: () => number;
  /** Waits until the next time slice may start. If the promise rejects, `inSlices` rejects too. */
  readonly pause: () => Promise<unknown>;
}

/**
 * Runs a generator to its end in time slices, with a pause after each slice.
 *
 * @returns the generator's result
 */
export async function inSlices<T>(
  work: Generator<void, T>,
  { slice, now, pause }: Slices,
): Promise<T> {
  for (let begun = now(); ; ) {
    const { done, value } = work.next();
    if (done) return value;
    if (now() - begun < slice) continue;
    await pause();
    begun = now();
  }
}

/** Position of a cell's upper left pixel in the picture. */
interface Corner {
  readonly x: number;
  readonly y: number;
  /** Number of pixels per row of the picture. */
  readonly row: number;
}

/**
 * Lists the pixels, along one axis, to which a cell adds its ramps: the cell's own pixels, and
 * pixels up to `OVERLAP` beyond its edges.
 *
 * @returns for each pixel: `pixels`, its offset from the cell's first pixel; `at`, its offset from
 *   the cell's middle, in cells; `shares`, the weight of the cell's ramps, 0…1
 */
function placesOf(scale: number) {
  const margin = Math.ceil(OVERLAP * scale);
  const pixels = Int32Array.from({ length: scale + 2 * margin }, (_, k) => k - margin);
  const at = Float32Array.from(pixels, (pixel) => (pixel + 0.5) / scale - 0.5);
  const shares = at.map((place) =>
    Math.min(1, Math.max(0, (0.5 + OVERLAP - Math.abs(place)) / (2 * OVERLAP))),
  );
  return { pixels, at, shares };
}

function premultiplied(cells: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(cells, (value, i) =>
    i % 4 === 3 ? value : Math.round((value * cells[i | 3]) / 255),
  );
}

/** Adds the interpolated colours of a cell's pixels to `sums`, and only their alpha to `tissue`. */
function addCells(
  { sums, tissue }: Readonly<Record<'sums' | 'tissue', Float32Array>>,
  { x, y, row }: Corner,
  inputs: Float32Array,
  weights: readonly Float32Array[],
): void {
  const columns = new Float32Array(4 * REACH);
  for (let v = 0; v < weights.length; v++) {
    blendRows(inputs, weights[v], columns);
    for (let u = 0; u < weights.length; u++) {
      const to = 4 * ((y + v) * row + x + u);
      for (let i = 0; i < REACH; i++) {
        const weight = weights[u][i];
        for (let c = 0; c < 4; c++) sums[to + c] += weight * columns[4 * i + c];
        tissue[to >> 2] += weight * columns[4 * i + 3];
      }
    }
  }
}

function addShares(
  sums: Float32Array,
  { x, y, row }: Corner,
  ramps: Float32Array,
  { pixels, at, shares }: ReturnType<typeof placesOf>,
): void {
  const colour = new Float64Array(4);
  for (let j = 0; j < at.length; j++) {
    const v = y + pixels[j];
    if (v < 0 || v >= row) continue;
    for (let i = 0; i < at.length; i++) {
      const u = x + pixels[i];
      if (u < 0 || u >= row) continue;
      colour.fill(0);
      addRamps(ramps, at[i], at[j], colour);
      const share = shares[i] * shares[j];
      for (let c = 0; c < 4; c++) sums[4 * (v * row + u) + c] += share * colour[c];
    }
  }
}

/**
 * Converts the premultiplied colours `sums` to straight alpha. Like the shaders of walls, fades out
 * pixels with a low `tissue` (alpha interpolated from cells, without ramps).
 */
function* straightened(
  sums: Float32Array,
  tissue: Float32Array,
  row: number,
): Generator<void, Uint8ClampedArray<ArrayBuffer>> {
  const pixels = new Uint8ClampedArray(sums.length);
  for (let i = 0; i < sums.length; i += 4) {
    if (i % row === 0) yield;
    const alpha = Math.min(1, sums[i + 3]);
    if (alpha * 255 < 0.5) continue;
    for (let c = 0; c < 3; c++) pixels[i + c] = (255 * sums[i + c]) / alpha;
    pixels[i + 3] = 255 * alpha * smoothstep(0.14, 0.42, tissue[i >> 2]);
  }
  return pixels;
}

/** Radius (`BLUR`) and standard deviation (`SPREAD`) of the smoothing of thumbnails, in cells. */
const BLUR = 3;
const SPREAD = 2;
/**
 * Standard deviation of colour differences (0…255) in a bilateral filter. The filter smooths
 * differences much smaller than `FAINT`, and keeps much larger ones.
 */
const FAINT = 28;

/**
 * Paints an organism as a still picture, after smoothing similar colours. Smoothing removes the
 * faint bands at places where cells have divided during growth.
 *
 * @returns as `paintStill`
 * @throws as `paintStill`
 */
export const paintThumbnail = (still: Still): ReturnType<typeof paintStill> =>
  paintStill({ ...still, cells: smoothed(still.cells, still.side) });

function smoothed(cells: ArrayLike<number>, side: number): Uint8ClampedArray {
  const result = Uint8ClampedArray.from(cells);
  for (let at = 0; at < cells.length; at += 4) {
    if (cells[at + 3] === 0) continue;
    const [x, y] = [(at >> 2) % side, Math.floor((at >> 2) / side)];
    const sums = [0, 0, 0, 0];
    for (let v = Math.max(0, y - BLUR); v <= Math.min(side - 1, y + BLUR); v++) {
      for (let u = Math.max(0, x - BLUR); u <= Math.min(side - 1, x + BLUR); u++) {
        const from = 4 * (v * side + u);
        let square = ((u - x) / SPREAD) ** 2 + ((v - y) / SPREAD) ** 2;
        for (let c = 0; c < 3; c++) square += ((cells[from + c] - cells[at + c]) / FAINT) ** 2;
        const weight = cells[from + 3] * Math.exp(-square / 2);
        for (let c = 0; c < 3; c++) sums[c] += weight * cells[from + c];
        sums[3] += weight;
      }
    }
    for (let c = 0; c < 3; c++) result[at + c] = sums[c] / sums[3];
  }
  return result;
}
