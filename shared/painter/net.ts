/**
 * The painter: a small net that turns each cell of a room into many pixels. It reads the 5×5 cells
 * around a cell, and tells where edges run through it. This file has the net and its file format.
 *
 * Three dense layers, the first two with ReLU, run once a cell: 125 → h1 → h2 → 8·J. Their result is
 * J ramps, each of eight numbers: `a, b, e, d` (where the ramp is) and `r, g, b, α` (what it adds).
 * `paint.ts` evaluates them at any number of pixels.
 */

/** The version of file and net that this build reads. */
export const PAINTER_VERSION = 1;
/** Most bytes of a file. */
export const PAINTER_LIMIT = 65_536;
/** Side of the neighbourhood that the net reads, cells. */
export const REACH = 5;
/**
 * Numbers of each neighbour: premultiplied r, g, b, α in 0…1, and 1 where its owner is that of the
 * cell in the middle (not 0).
 */
export const NEIGHBOUR = 5;
/** Numbers that the net reads: neighbours row by row, each with its five numbers. */
export const INPUTS = REACH * REACH * NEIGHBOUR;
/** Numbers of a ramp: `a, b, e, d, r, g, b, α`. */
export const RAMP = 8;

/** A dense layer. */
export interface PainterLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** [inputs, outputs], row-major. */
  readonly kernel: Float32Array;
  /** [outputs] */
  readonly bias: Float32Array;
}

/** The layers in order. All widths are multiples of 4; that of the last is a multiple of 8. */
export type PainterNet = readonly [PainterLayer, PainterLayer, PainterLayer];

/** Names of the layers in a file: tensors `<name>.kernel` and `<name>.bias`. */
export const LAYERS = ['hidden1', 'hidden2', 'ramps'] as const;

/** Number of ramps of a cell. */
export const rampsOf = ([, , { outputs }]: PainterNet): number => outputs / RAMP;

/** Multiply-adds: of the layers once a cell, and of each pixel, its base included. */
export function painterWork(net: PainterNet): { cell: number; pixel: number } {
  const cell = net.reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0);
  return { cell, pixel: rampsOf(net) * 7 + 64 };
}

/** Why a file is not a painter. */
export type PainterReason = 'too-large' | 'unknown-version' | 'bad-file';

/** A painter cannot be read; the message is one sentence without the file's name. */
export class PainterError extends Error {
  override readonly name = 'PainterError';

  constructor(
    readonly reason: PainterReason,
    what: string,
  ) {
    super(what);
  }
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
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
    throw new PainterError('too-large', `${bytes.length} bytes are over ${PAINTER_LIMIT}`);
  }
  const { header, data } = split(bytes);
  const version = (header.__metadata__ as { painter?: unknown } | undefined)?.painter;
  if (version !== `${PAINTER_VERSION}`) {
    throw new PainterError('unknown-version', `version of the painter is not ${PAINTER_VERSION}`);
  }
  let inputs = INPUTS;
  const layers = LAYERS.map((name): PainterLayer => {
    const kernel = numbersOf(header, data, `${name}.kernel`, 2);
    const [rows, outputs] = kernel.shape;
    const bias = numbersOf(header, data, `${name}.bias`, 1);
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

function split(bytes: Uint8Array): { header: Record<string, unknown>; data: DataView } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < 8 ? Number.POSITIVE_INFINITY : Number(view.getBigUint64(0, true));
  if (8 + length > bytes.length) throw bad('header reaches beyond the file');
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  } catch {
    throw bad('header is not JSON');
  }
  if (typeof header !== 'object' || header === null) throw bad('header is not a JSON object');
  const data = new DataView(bytes.buffer, bytes.byteOffset + 8 + length, bytes.length - 8 - length);
  return { header: header as Record<string, unknown>, data };
}

function numbersOf(
  header: Record<string, unknown>,
  data: DataView,
  name: string,
  rank: number,
): { shape: readonly number[]; values: Float32Array } {
  const entry = header[name] as Partial<Entry> | undefined;
  const { dtype, shape, data_offsets: offsets } = entry ?? {};
  const isCount = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0;
  if (dtype !== 'F16' || !Array.isArray(shape) || shape.length !== rank || !shape.every(isCount)) {
    throw bad(`tensor "${name}" is missing, or not F16 of rank ${rank}`);
  }
  const count = shape.reduce((a, b) => a * b, 1);
  const [begin, end] = Array.isArray(offsets) && offsets.every(isCount) ? offsets : [0, -1];
  if (end - begin !== 2 * count || end > data.byteLength) {
    throw bad(`tensor "${name}" does not lie in the file`);
  }
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = floatOfHalf(data.getUint16(begin + 2 * i, true));
  if (!values.every(Number.isFinite))
    throw bad(`tensor "${name}" holds a number that is not finite`);
  return { shape, values };
}

/** The value of a 16-bit float (IEEE 754 binary16). */
function floatOfHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0
    ? sign * fraction * 2 ** -24
    : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
