/**
 * The painter: a small net that turns each cell of a room into many pixels. It reads the 5×5 cells
 * around a cell, and outputs where edges run through that cell. This file defines the net and its
 * file format.
 *
 * Three dense layers, the first two with ReLU, run once per cell: 125 → h1 → h2 → 8·J. They output
 * J ramps of eight numbers: `a, b, e, d` (where the ramp is) and `r, g, b, α` (what it adds).
 * `paint.ts` evaluates them at any number of pixels.
 *
 * A painter may also have learned some genomes. Five layers turn such a genome into a map, with C
 * numbers for each place of the organism; see `genome-map.ts`. Cells at these places pass through
 * three layers of their own, `learned`, the first of which also reads the map.
 */

import { readSafetensors, SafetensorsError, type TensorFile } from '../safetensors.ts';

/** Versions of the file: painters that read only cells, and painters that also read genomes. */
export const PAINTER_VERSION = 1;
export const GENOME_PAINTER_VERSION = 2;
/** Maximum size of a file, in bytes. */
export const PAINTER_LIMIT = 256_000;
/** Side of the neighbourhood that the net reads, in cells. */
export const REACH = 5;
/**
 * Number of inputs per neighbour: premultiplied r, g, b, α in 0…1, and 1 if its owner is the middle
 * cell's owner (not 0), else 0.
 */
export const NEIGHBOUR = 5;
/**
 * Number of inputs that describe the cells: neighbours row by row, with `NEIGHBOUR` inputs each.
 * The numbers of the organism's map follow.
 */
export const INPUTS = REACH * REACH * NEIGHBOUR;
/** Numbers per ramp: `a, b, e, d, r, g, b, α`. */
export const RAMP = 8;

export interface PainterLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** [inputs, outputs], row-major. */
  readonly kernel: Float32Array;
  /** [outputs] */
  readonly bias: Float32Array;
}

type Layers = readonly [PainterLayer, PainterLayer, PainterLayer];

/** The layers in order. Widths are multiples of 4, the last layer's width of 8. */
export type PainterNet = Layers & { readonly learned?: LearnedGenomes };

/** What a painter has learned about some genomes. */
export interface LearnedGenomes {
  /** Like the painter's layers, but the first layer also reads the C numbers of the map. */
  readonly layers: Layers;
  /** The layers that make maps, see `GENOME_LAYERS`. */
  readonly genome: readonly PainterLayer[];
  /** [genomes, KEY] The first numbers of each genome. */
  readonly keys: Float32Array;
}

/** Number of leading values of a latent that identify a creature, and the name of their tensor. */
export const KEY = 16;
export const KEYS = 'keys';

/** Names of the layers in a file: tensors `<name>.kernel` and `<name>.bias`. */
export const LAYERS = ['hidden1', 'hidden2', 'ramps'] as const;
/** Prefix of the names of the same layers for learned genomes. */
export const LEARNED = 'learned_';
/** Names of the layers for genomes: two dense ones, and one for each doubling of the map. */
export const GENOME_LAYERS = ['genome1', 'genome2', 'double1', 'double2', 'double3'] as const;
/** Side of a map before its first doubling, and after its last doubling. */
export const FIRST_SIDE = 4;
export const MAP_SIDE = 32;

/** Returns how many numbers a map has for each place, C; 0 if the painter has no maps. */
export const channelsOf = ({ learned }: PainterNet): number =>
  learned ? learned.layers[0].inputs - INPUTS : 0;

/** Returns the number of ramps per cell. */
export const rampsOf = ([, , { outputs }]: PainterNet): number => outputs / RAMP;

/**
 * Counts multiply-adds. `cell`: the most that the layers need for a cell. `pixel`: for each pixel,
 * including its interpolation.
 */
export function painterWork(net: PainterNet): { cell: number; pixel: number } {
  const cell = (net.learned?.layers ?? net).reduce(
    (sum, { inputs, outputs }) => sum + inputs * outputs,
    0,
  );
  return { cell, pixel: rampsOf(net) * 7 + 64 };
}

/** Why a file cannot be read as a painter. */
export type PainterReason = 'too-large' | 'unknown-version' | 'bad-file';

/** Thrown if a painter cannot be read. The message is one sentence without the file's name. */
export class PainterError extends Error {
  override readonly name = 'PainterError';

  constructor(
    readonly reason: PainterReason,
    what: string,
  ) {
    super(what);
  }
}

const WIDEST = 96;
/** Limits of a map's channels, and of the widths of the layers that make it. */
export const MOST_CHANNELS = 16;
const WIDEST_OF_GENOME = 2_048;

/**
 * Reads `painter.safetensors`. It has the six tensors of `LAYERS`. A painter that has learned genomes
 * has six more with the prefix `LEARNED`, the tensors of `GENOME_LAYERS`, and `keys`. All tensors are
 * F16. The metadata field `painter` holds the version.
 *
 * @throws PainterError
 */
export function parsePainter(bytes: Uint8Array): PainterNet {
  if (bytes.length > PAINTER_LIMIT) {
    throw new PainterError(
      'too-large',
      `${bytes.length} bytes exceed the limit of ${PAINTER_LIMIT}`,
    );
  }
  const { tensors, metadata } = read(bytes);
  const { painter: version } = metadata;
  const readsGenomes = version === `${GENOME_PAINTER_VERSION}`;
  if (version !== `${PAINTER_VERSION}` && !readsGenomes) {
    const known = `${PAINTER_VERSION} or ${GENOME_PAINTER_VERSION}`;
    throw new PainterError('unknown-version', `version of the painter is not ${known}`);
  }
  const layers = layersOf(tensors, '', INPUTS);
  if (!readsGenomes) return layers;
  const genome = genomeLayers(tensors);
  const inputs = INPUTS + genome[genome.length - 1].outputs;
  const { shape, values: keys } = numbersOf(tensors, KEYS, 2);
  if (shape[1] !== KEY) throw bad(`tensor "${KEYS}" has ${shape[1]} numbers for each genome`);
  const learned = layersOf(tensors, LEARNED, inputs);
  if (learned.some(({ outputs }, i) => outputs !== layers[i].outputs)) {
    throw bad('layers for learned genomes have other widths');
  }
  return Object.assign(layers, { learned: { layers: learned, genome, keys } });
}

function layersOf(tensors: TensorFile['tensors'], prefix: string, first: number): Layers {
  let inputs = first;
  return LAYERS.map((layer): PainterLayer => {
    const name = prefix + layer;
    const kernel = numbersOf(tensors, `${name}.kernel`, 2);
    const [rows, outputs] = kernel.shape;
    const bias = numbersOf(tensors, `${name}.bias`, 1);
    const step = layer === 'ramps' ? RAMP : 4;
    const fits = rows === inputs && bias.shape[0] === outputs;
    if (
      !fits ||
      outputs % step !== 0 ||
      outputs < step ||
      outputs > (layer === 'ramps' ? 128 : WIDEST)
    ) {
      throw bad(`layer "${name}" has shape [${kernel.shape}] with ${bias.shape} biases`);
    }
    const read = { inputs, outputs, kernel: kernel.values, bias: bias.values };
    inputs = outputs;
    return read;
  }) as unknown as Layers;
}

/** Reads the layers for genomes. Kernels of doublings are [3, 3, inputs, outputs] in the file. */
function genomeLayers(tensors: TensorFile['tensors']): PainterLayer[] {
  let before = 0;
  return GENOME_LAYERS.map((name, i): PainterLayer => {
    const isDense = i < 2;
    const kernel = numbersOf(tensors, `${name}.kernel`, isDense ? 2 : 4);
    const { values: bias } = numbersOf(tensors, `${name}.bias`, 1);
    const [rows, outputs] = kernel.shape.slice(-2);
    const isFirst = i === 0;
    const expected = i === 2 ? before / FIRST_SIDE ** 2 : before;
    const fits = (isFirst || rows === expected) && bias.length === outputs && outputs % 4 === 0;
    const most = i === GENOME_LAYERS.length - 1 ? MOST_CHANNELS : WIDEST_OF_GENOME;
    if (!fits || outputs > most || kernel.values.length !== (isDense ? 1 : 9) * rows * outputs) {
      throw bad(`layer "${name}" has shape [${kernel.shape}] with ${bias.length} biases`);
    }
    before = outputs;
    return { inputs: isDense ? rows : 9 * rows, outputs, kernel: kernel.values, bias };
  });
}

const bad = (what: string): PainterError => new PainterError('bad-file', what);

function read(bytes: Uint8Array): TensorFile {
  try {
    return readSafetensors(bytes);
  } catch (error) {
    throw error instanceof SafetensorsError ? bad(error.message) : error;
  }
}

function numbersOf(
  tensors: TensorFile['tensors'],
  name: string,
  rank: number,
): { shape: readonly number[]; values: Float32Array } {
  const { dtype, shape = [], data: values } = tensors.get(name) ?? {};
  if (dtype !== 'F16' || !values || shape.length !== rank) {
    throw bad(`tensor "${name}" is missing, or not F16 of rank ${rank}`);
  }
  if (!values.every(Number.isFinite))
    throw bad(`tensor "${name}" contains a number that is not finite`);
  return { shape, values };
}
