/**
 * Computes maps of genomes: some numbers for each cell of an organism, which the painter reads in
 * addition to the cells' colours. Two dense layers turn a genome into a map of 4×4 positions. Three
 * more layers each double the side length of the map and apply a 3×3 convolution. A ReLU follows
 * each layer except the last.
 */
import { FIRST_SIDE, INPUTS, KEY, type PainterLayer, type PainterNet } from './net.ts';

/**
 * A genome gets a map only if a learned genome is at most this far from it, measured as the root
 * mean square difference of the first `KEY` values.
 */
const NEAR = 0.25;

/** The genomes that the cells of an organism read. */
export interface PaintedGenomes {
  /** One or more latents, [Z] each. */
  readonly latents: readonly Float32Array[];
  /** [S, S] Index of each cell's latent. Absent if there is only one latent. */
  readonly labels?: Uint8Array | undefined;
}

/** The map of an organism: C numbers for each cell, which the painter reads. */
export interface GenomeMap {
  /** Side length of the map (S), in cells. */
  readonly side: number;
  /** [S, S, C] Zeros at cells whose genome the painter has not learned. */
  readonly values: Float32Array;
}

/** A map whose upper left cell is at (x, y) in a grid of cells. */
export interface PlacedMap extends GenomeMap {
  readonly x: number;
  readonly y: number;
}

/**
 * Computes the map of an organism. Each cell of a chimera gets the numbers from the map of the
 * genome that this cell reads. Yields often, so that the caller can do other work in between.
 *
 * @returns undefined if the painter has learned none of the genomes
 */
export function* createMap(
  net: Pick<PainterNet, 'learned'>,
  { latents, labels }: PaintedGenomes,
): Generator<void, GenomeMap | undefined> {
  let whole: GenomeMap | undefined;
  for (const [index, latent] of latents.entries()) {
    if (!isLearned(net, latent)) continue;
    const { side, values } = yield* mapOfLatent(net.learned!.genome, latent);
    whole ??= { side, values: new Float32Array(values.length) };
    const channels = values.length / side ** 2;
    for (let i = 0; i < values.length; i++) {
      if ((labels?.[Math.floor(i / channels)] ?? 0) === index) whole.values[i] = values[i];
    }
  }
  return whole;
}

/** Runs a generator to its end, without pauses. @returns the generator's result */
export function finished<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Returns whether a painter has learned a given genome or a very similar one (see `NEAR`). */
export function isLearned({ learned }: Pick<PainterNet, 'learned'>, latent: Float32Array): boolean {
  if (!learned || latent.length !== learned.genome[0].inputs) return false;
  const { keys } = learned;
  for (let at = 0; at < keys.length; at += KEY) {
    let sum = 0;
    for (let i = 0; i < KEY; i++) sum += (latent[i] - keys[at + i]) ** 2;
    if (sum <= KEY * NEAR ** 2) return true;
  }
  return false;
}

function* mapOfLatent(
  [first, second, ...doublings]: readonly PainterLayer[],
  latent: Float32Array,
): Generator<void, GenomeMap> {
  let values = add(second, relu(add(first, latent)));
  let side = FIRST_SIDE;
  for (const layer of doublings) {
    values = yield* doubled(layer, relu(values), side);
    side *= 2;
  }
  return { side, values };
}

function relu(values: Float32Array): Float32Array {
  for (let i = 0; i < values.length; i++) if (values[i] < 0) values[i] = 0;
  return values;
}

function add({ outputs, kernel, bias }: PainterLayer, inputs: Float32Array): Float32Array {
  const sums = bias.slice();
  for (let i = 0; i < inputs.length; i++) {
    for (let o = 0; o < outputs; o++) sums[o] += inputs[i] * kernel[i * outputs + o];
  }
  return sums;
}

/**
 * Doubles the side length of a map by copying each position to 2×2 positions. Then applies a 3×3
 * convolution with zero padding.
 */
function* doubled(
  { inputs, outputs, kernel, bias }: PainterLayer,
  from: Float32Array,
  side: number,
): Generator<void, Float32Array> {
  const channels = inputs / 9;
  const to = new Float32Array(4 * side * side * outputs);
  for (let place = 0; place < 4 * side * side; place++) {
    const [x, y] = [place % (2 * side), Math.floor(place / (2 * side))];
    if (x === 0) yield;
    const sums = to.subarray(place * outputs, (place + 1) * outputs);
    sums.set(bias);
    for (let tap = 0; tap < 9; tap++) {
      const [u, v] = [(x + (tap % 3) - 1) >> 1, (y + Math.floor(tap / 3) - 1) >> 1];
      if (u < 0 || v < 0 || u >= side || v >= side) continue;
      const at = (v * side + u) * channels;
      for (let i = 0; i < channels; i++) {
        const value = from[at + i];
        if (value === 0) continue;
        const row = (tap * channels + i) * outputs;
        for (let o = 0; o < outputs; o++) sums[o] += value * kernel[row + o];
      }
    }
  }
  return to;
}

/**
 * Copies the map's numbers for one cell to the end of the net's inputs, after the `INPUTS` numbers
 * about cells. Changes nothing if the cell is outside the map.
 *
 * @param x column of the cell in the grid
 * @param y row of the cell in the grid
 */
export function readMap(map: PlacedMap, x: number, y: number, inputs: Float32Array): void {
  const { side, values } = map;
  const [u, v] = [x - map.x, y - map.y];
  if (u < 0 || v < 0 || u >= side || v >= side) return;
  const channels = inputs.length - INPUTS;
  const from = (v * side + u) * channels;
  for (let c = 0; c < channels; c++) inputs[INPUTS + c] = values[from + c];
}

/**
 * Returns the layers to run for a cell: the layers for learned genomes if `inputs` contains numbers
 * from a genome map, else the layers that read only cells.
 */
export const layersFor = (net: PainterNet, inputs: Float32Array) =>
  net.learned && inputs[INPUTS] !== 0 ? net.learned.layers : net;
