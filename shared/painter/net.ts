/**
 * The painter: a small neural net that draws each cell of a room as many pixels. This file defines
 * the net and its file format.
 *
 * Three dense layers, the first two with ReLU, run once per cell. They turn 125 numbers, which
 * describe the 5×5 cells around a cell, into J ramps (soft edges). `paint.ts` evaluates the ramps
 * at each pixel.
 *
 * A painter may also have learned some genomes. Five more layers turn a learned genome into a map
 * with C numbers for each cell of the organism (see `genome-map.ts`). These cells pass through
 * three other layers (`learned`), the first of which also reads the C numbers.
 */

import { readSafetensors, SafetensorsError, type TensorFile } from '../safetensors.ts';

/**
 * Versions of a painter's file. `PAINTER_VERSION`: the painter reads only cells.
 * `GENOME_PAINTER_VERSION`: the painter also reads maps of genomes.
 */
export const PAINTER_VERSION = 1;
export const GENOME_PAINTER_VERSION = 2;
export const PAINTER_LIMIT = 256_000;
/** Side length of the neighbourhood that the net reads, in cells. */
export const REACH = 5;
/**
 * Number of inputs for each of the 5×5 cells: premultiplied r, g, b and α (0…1), and a flag. The
 * flag is 1 if the cell has the same owner as the middle cell, else 0.
 */
export const NEIGHBOUR = 5;
/**
 * Number of inputs that describe the 5×5 cells, row by row. If the painter has learned genomes,
 * more inputs follow: the genome map's numbers for the middle cell.
 */
export const INPUTS = REACH * REACH * NEIGHBOUR;
/**
 * Number of values per ramp: the coefficients `a, b, e, d`, from which `paint` computes the ramp's
 * height at each pixel, and the ramp's colour `r, g, b, α`.
 */
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

/**
 * The layers of a painter, in order. Each number of outputs is a multiple of 4; in the last layer,
 * a multiple of 8.
 */
export type PainterNet = Layers & { readonly learned?: LearnedGenomes };

/**
 * Additional layers for genomes that a painter has learned, and keys to recognise these genomes.
 */
export interface LearnedGenomes {
  /** The layers for cells with a genome map. The first layer also reads the map's C numbers. */
  readonly layers: Layers;
  /** The layers that turn a genome into a map; see `GENOME_LAYERS`. */
  readonly genome: readonly PainterLayer[];
  /** [genomes, KEY] The first `KEY` numbers of each learned genome. */
  readonly keys: Float32Array;
}

/**
 * `KEY`: number of values, at the start of a genome, by which a painter recognises the genome.
 * `KEYS`: name of the tensor with these values for all learned genomes.
 */
export const KEY = 16;
export const KEYS = 'keys';

/** Names of the layers in a file. Each layer has two tensors, `<name>.kernel` and `<name>.bias`. */
export const LAYERS = ['hidden1', 'hidden2', 'ramps'] as const;
/** Prefix for the names of the layers for learned genomes, as in `learned_hidden1`. */
export const LEARNED = 'learned_';
/**
 * Names of the layers that turn a genome into a map: two dense layers, then three layers that each
 * double the map's side.
 */
export const GENOME_LAYERS = ['genome1', 'genome2', 'double1', 'double2', 'double3'] as const;
/** Side length of a genome map before the first doubling and after the last doubling, in cells. */
export const FIRST_SIDE = 4;
export const MAP_SIDE = 32;

/**
 * Returns the number of values per cell in a genome map (C); 0 if the painter has learned no
 * genomes.
 */
export const channelsOf = ({ learned }: PainterNet): number =>
  learned ? learned.layers[0].inputs - INPUTS : 0;

export const rampsOf = ([, , { outputs }]: PainterNet): number => outputs / RAMP;

/**
 * Counts the multiply-adds of a painter.
 *
 * @returns `cell`: the number per cell (with a genome map, if the painter has learned genomes,
 *   because such cells need the most); `pixel`: the number per pixel
 */
export function painterWork(net: PainterNet): { cell: number; pixel: number } {
  const cell = (net.learned?.layers ?? net).reduce(
    (sum, { inputs, outputs }) => sum + inputs * outputs,
    0,
  );
  return { cell, pixel: rampsOf(net) * 7 + 64 };
}

/** Reasons why a file cannot be read as a painter. */
export type PainterReason = 'too-large' | 'unknown-version' | 'bad-file';

/** Thrown if a painter cannot be read. The message does not name the file. */
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
/** Maximum number of values per cell of a genome map (C). */
export const MOST_CHANNELS = 16;
const WIDEST_OF_GENOME = 2_048;

/**
 * Parses a `painter.safetensors` file, which contains the tensors of `LAYERS`. If the painter has
 * learned genomes, the file also contains `LAYERS` with the prefix `LEARNED`, `GENOME_LAYERS`, and
 * `KEYS`. All tensors are F16. The metadata field `painter` holds the version.
 *
 * @throws PainterError if the file is too large, malformed, or of an unknown version
 */
export function parsePainter(bytes: Uint8Array): PainterNet {
  if (bytes.length > PAINTER_LIMIT) {
    const text = `the file has ${bytes.length} bytes, but a painter may have at most ${PAINTER_LIMIT}`;
    throw new PainterError('too-large', text);
  }
  const { tensors, metadata } = read(bytes);
  const { painter: version } = metadata;
  const readsGenomes = version === `${GENOME_PAINTER_VERSION}`;
  if (version !== `${PAINTER_VERSION}` && !readsGenomes) {
    const known = `${PAINTER_VERSION} or ${GENOME_PAINTER_VERSION}`;
    throw new PainterError('unknown-version', `the version of the painter must be ${known}`);
  }
  const layers = layersOf(tensors, '', INPUTS);
  if (!readsGenomes) return layers;
  const genome = genomeLayers(tensors);
  const inputs = INPUTS + genome[genome.length - 1].outputs;
  const { shape, values: keys } = numbersOf(tensors, KEYS, 2);
  if (shape[1] !== KEY)
    throw bad(`tensor "${KEYS}" must have ${KEY} numbers for each genome, not ${shape[1]}`);
  const learned = layersOf(tensors, LEARNED, inputs);
  if (learned.some(({ outputs }, i) => outputs !== layers[i].outputs)) {
    throw bad(`layer "${LEARNED}X" must have as many outputs as layer "X", for each layer X`);
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
      const text = `layer "${name}" has an invalid shape: a kernel of [${kernel.shape}] and ${bias.shape} biases`;
      throw bad(text);
    }
    const read = { inputs, outputs, kernel: kernel.values, bias: bias.values };
    inputs = outputs;
    return read;
  }) as unknown as Layers;
}

/**
 * Reads the layers that turn a genome into a map. In the file, kernels of doubling layers have the
 * shape [3, 3, inputs, outputs].
 */
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
      const text = `layer "${name}" has an invalid shape: a kernel of [${kernel.shape}] and ${bias.length} biases`;
      throw bad(text);
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
    throw bad(`tensor "${name}" is missing, or is not an F16 tensor of rank ${rank}`);
  }
  if (!values.every(Number.isFinite))
    throw bad(`tensor "${name}" contains a number that is not finite`);
  return { shape, values };
}
