/**
 * The painter: a small net that turns each cell of a room into many pixels. It reads the 5×5 cells
 * around a cell, and outputs where edges run through that cell. This file defines the net and its
 * file format.
 *
 * Three dense layers, the first two with ReLU, run once per cell: 125 → h1 → h2 → 8·J. They output
 * J ramps of eight numbers: `a, b, e, d` (where the ramp is) and `r, g, b, α` (what it adds).
 * `paint.ts` evaluates them at any number of pixels.
 */

import { readSafetensors, SafetensorsError, type TensorFile } from '../safetensors.ts';

/** Version of the file and net that this build reads. */
export const PAINTER_VERSION = 1;
/** Maximum size of a file, in bytes. */
export const PAINTER_LIMIT = 65_536;
/** Side of the neighbourhood that the net reads, in cells. */
export const REACH = 5;
/**
 * Number of inputs per neighbour: premultiplied r, g, b, α in 0…1, and 1 if its owner is the middle
 * cell's owner (not 0), else 0.
 */
export const NEIGHBOUR = 5;
/** Number of inputs of the net: neighbours row by row, with `NEIGHBOUR` inputs each. */
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

/** The layers in order. Widths are multiples of 4, the last layer's width of 8. */
export type PainterNet = readonly [PainterLayer, PainterLayer, PainterLayer];

/** Names of the layers in a file: tensors `<name>.kernel` and `<name>.bias`. */
export const LAYERS = ['hidden1', 'hidden2', 'ramps'] as const;

/** Returns the number of ramps per cell. */
export const rampsOf = ([, , { outputs }]: PainterNet): number => outputs / RAMP;

/**
 * Counts multiply-adds: for the layers, once per cell; and for each pixel, including its
 * interpolation.
 */
export function painterWork(net: PainterNet): { cell: number; pixel: number } {
  const cell = net.reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0);
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

/**
 * Reads `painter.safetensors`: the six tensors of `LAYERS` as F16, and the version as metadata
 * `painter`.
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
  if (version !== `${PAINTER_VERSION}`) {
    throw new PainterError('unknown-version', `version of the painter is not ${PAINTER_VERSION}`);
  }
  let inputs = INPUTS;
  const layers = LAYERS.map((name): PainterLayer => {
    const kernel = numbersOf(tensors, `${name}.kernel`, 2);
    const [rows, outputs] = kernel.shape;
    const bias = numbersOf(tensors, `${name}.bias`, 1);
    const step = name === 'ramps' ? RAMP : 4;
    const fits = rows === inputs && bias.shape[0] === outputs;
    if (
      !fits ||
      outputs % step !== 0 ||
      outputs < step ||
      outputs > (name === 'ramps' ? 128 : WIDEST)
    ) {
      throw bad(`layer "${name}" has shape [${kernel.shape}] with ${bias.shape} biases`);
    }
    const layer = { inputs, outputs, kernel: kernel.values, bias: bias.values };
    inputs = outputs;
    return layer;
  });
  return layers as unknown as PainterNet;
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
    throw bad(`tensor "${name}" holds a number that is not finite`);
  return { shape, values };
}
