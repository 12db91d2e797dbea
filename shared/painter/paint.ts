/** Paints cells as pixels. The shaders in visitors' pages must give the same pictures. */
import type { Rect } from '../geometry.ts';
import { layersFor, type PlacedMap, readMap } from './genome-map.ts';
import { channelsOf, INPUTS, NEIGHBOUR, type PainterNet, RAMP, REACH } from './net.ts';

export interface Painting {
  /** [height, width, 4] Colours of the cells: premultiplied RGBA, 0…255. */
  readonly cells: Uint8Array;
  /** [height, width] id of the organism that owns each cell; 0 for bare cells. */
  readonly owners: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
  readonly net: PainterNet;
  /** Number of pixels per side of a cell, 1 or more. Nets are trained with 8 pixels. */
  readonly scale: number;
  /** Cells to paint, which must lie inside the grid. If absent, the whole grid is painted. */
  readonly area?: Rect;
  /** Returns the genome map of an organism; undefined if the organism has none. */
  readonly mapOf?: (owner: number) => PlacedMap | undefined;
}

const MIDDLE = (REACH - 1) / 2;

/**
 * Paints each cell as `scale`×`scale` pixels.
 *
 * The colour of a pixel is a sum: the Catmull-Rom interpolation of the premultiplied cells, plus
 * the ramps (gradients that the net returns for each cell). A ramp adds its colour × its height.
 * The height is clamp(a·x + b·y + e·(x² + y²) + d, −½, ½). Here a, b, e, d are the ramp's
 * coefficients, and (x, y) is the pixel's position, −½…½ from the cell's middle. Then alpha is
 * clamped to 0…1, and red, green and blue to 0…alpha.
 *
 * Cells beyond the grid count as empty. A cell stays transparent if all 5×5 cells around it are
 * empty.
 *
 * @returns pixels of the painted area, row by row: premultiplied RGBA, 0…255
 */
export function paint(painting: Painting): Uint8ClampedArray {
  const { width, height, net, scale } = painting;
  const area = painting.area ?? { x: 0, y: 0, width, height };
  const row = area.width * scale * 4;
  const pixels = new Uint8ClampedArray(row * area.height * scale);
  const inputs = new Float32Array(INPUTS + channelsOf(net));
  const outputs = net.map((layer) => new Float32Array(layer.outputs));
  const places = Array.from({ length: scale }, (_, k) => (k + 0.5) / scale - 0.5);
  const weights = places.map(catmullRom);
  const columns = new Float32Array(4 * REACH);
  const colour = new Float32Array(4);
  for (let j = 0; j < area.height; j++) {
    for (let i = 0; i < area.width; i++) {
      if (!readNeighbourhood(painting, area.x + i, area.y + j, inputs)) continue;
      const ramps = runLayers(net, inputs, outputs);
      for (let v = 0; v < scale; v++) {
        blendRows(inputs, weights[v], columns);
        let at = (j * scale + v) * row + i * scale * 4;
        for (let u = 0; u < scale; u++, at += 4) {
          blendColumns(columns, weights[u], colour);
          addRamps(ramps, places[u], places[v], colour);
          const alpha = Math.min(1, Math.max(0, colour[3]));
          for (let c = 0; c < 3; c++) {
            pixels[at + c] = 255 * Math.min(alpha, Math.max(0, colour[c]));
          }
          pixels[at + 3] = 255 * alpha;
        }
      }
    }
  }
  return pixels;
}

/**
 * Computes the weights of five cells in a row for Catmull-Rom interpolation. The first or the last
 * weight is always 0.
 *
 * @param place position at which to interpolate, −½…½ from the middle of the third cell
 * @returns [5]
 */
export function catmullRom(place: number): Float32Array {
  const first = place < 0 ? 0 : 1;
  const f = place < 0 ? place + 1 : place;
  const weights = new Float32Array(REACH);
  weights[first] = f * (-0.5 + f * (1 - 0.5 * f));
  weights[first + 1] = 1 + f * f * (-2.5 + 1.5 * f);
  weights[first + 2] = f * (0.5 + f * (2 - 1.5 * f));
  weights[first + 3] = f * f * (-0.5 + 0.5 * f);
  return weights;
}

/**
 * Computes the weighted sum of the five rows of the 5×5 cells around a cell.
 *
 * @param columns receives the sum: [5, 4], one premultiplied colour for each column
 */
export function blendRows(
  inputs: Float32Array,
  weights: Float32Array,
  columns: Float32Array,
): void {
  columns.fill(0);
  for (let j = 0; j < REACH; j++) {
    for (let i = 0; i < REACH; i++) {
      const from = NEIGHBOUR * (j * REACH + i);
      for (let c = 0; c < 4; c++) columns[4 * i + c] += weights[j] * inputs[from + c];
    }
  }
}

function blendColumns(columns: Float32Array, weights: Float32Array, colour: Float32Array): void {
  colour.fill(0);
  for (let i = 0; i < REACH; i++) {
    for (let c = 0; c < 4; c++) colour[c] += weights[i] * columns[4 * i + c];
  }
}

/**
 * Fills in the inputs of the net for a cell: first the 5×5 cells around the cell, row by row, as
 * `NEIGHBOUR` numbers each; then, if there is a genome map, the map's C numbers for the cell.
 *
 * @returns whether at least one of the 5×5 cells is not transparent
 */
export function readNeighbourhood(
  grid: Pick<Painting, 'cells' | 'owners' | 'width' | 'height' | 'mapOf'>,
  x: number,
  y: number,
  inputs: Float32Array,
): boolean {
  const { cells, owners, width, height, mapOf } = grid;
  const own = owners[y * width + x];
  let isSeen = false;
  let to = 0;
  inputs.fill(0);
  for (let j = y - MIDDLE; j <= y + MIDDLE; j++) {
    for (let i = x - MIDDLE; i <= x + MIDDLE; i++, to += 5) {
      if (i < 0 || j < 0 || i >= width || j >= height) continue;
      const place = j * width + i;
      for (let c = 0; c < 4; c++) {
        const value = cells[4 * place + c];
        inputs[to + c] = value / 255;
        if (value !== 0) isSeen = true;
      }
      if (own !== 0 && owners[place] === own) inputs[to + 4] = 1;
    }
  }
  const map = isSeen && own !== 0 && mapOf?.(own);
  if (map) readMap(map, x, y, inputs);
  return isSeen;
}

/**
 * Runs the net's layers for one cell.
 *
 * @param outputs one buffer per layer, which receives the layer's output
 * @returns the last buffer, which contains the cell's ramps
 */
export function runLayers(
  net: PainterNet,
  inputs: Float32Array,
  outputs: readonly Float32Array[],
): Float32Array {
  let from = inputs;
  layersFor(net, inputs).forEach(({ inputs: count, kernel, bias }, index) => {
    const to = outputs[index];
    to.set(bias);
    for (let i = 0, at = 0; i < count; i++, at += to.length) {
      const value = from[i];
      // Skip zeros to save time: most inputs and about half of the hidden units are 0.
      if (value === 0) continue;
      for (let o = 0; o < to.length; o++) to[o] += value * kernel[at + o];
    }
    if (index < 2) for (let o = 0; o < to.length; o++) if (to[o] < 0) to[o] = 0;
    from = to;
  });
  return from;
}

/**
 * Adds a cell's ramps to the colour of a pixel.
 *
 * @param x horizontal position of the pixel, −½…½ from the middle of the cell
 * @param y vertical position of the pixel, −½…½ from the middle of the cell
 * @param colour premultiplied RGBA, to which the ramps are added
 */
export function addRamps(
  ramps: Float32Array,
  x: number,
  y: number,
  colour: Float32Array | Float64Array,
): void {
  const square = x * x + y * y;
  for (let at = 0; at < ramps.length; at += RAMP) {
    const along = ramps[at] * x + ramps[at + 1] * y + ramps[at + 2] * square + ramps[at + 3];
    const height = Math.min(0.5, Math.max(-0.5, along));
    for (let c = 0; c < 4; c++) colour[c] += height * ramps[at + 4 + c];
  }
}
