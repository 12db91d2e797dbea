/**
 * A checkpoint's encoder, which computes the mean latent of a picture. The encoder runs in short
 * time slices, so it needs no thread of its own.
 */

import type { Float32Tensor } from '../../shared/safetensors.ts';
import { misfitOf } from './architecture.ts';
import type { Model } from './checkpoint.ts';
import { type EncoderNetwork, encoderShapes } from './encoder-network.ts';
import { imageChannels } from './readout.ts';

export interface Encoder {
  /** Number of values in a picture: side × side × channels. */
  readonly size: number;
  /**
   * Number of channels of a picture: 1 for black and white, 3 for RGB, 4 for premultiplied RGBA.
   */
  readonly channels: 1 | 3 | 4;
  /**
   * Encodes a picture. Yields often, so that the caller can do other work meanwhile.
   *
   * @param pixels the picture, [side, side, channels], 0…1
   * @returns the mean of the picture's latent, [Z]
   * @throws RangeError if the picture does not have `size` values
   */
  encode(pixels: Float32Array): Generator<void, Float32Array>;
}

/** The values of a layer, [side, side, channels]. */
interface Layer {
  readonly side: number;
  readonly channels: number;
  readonly data: Float32Array;
}

interface Weights {
  /** [size, size, inputs, outputs] for a convolution, [inputs, outputs] for a dense layer. */
  readonly kernel: Float32Tensor;
  readonly bias: Float32Tensor;
}

/** Maximum number of multiplications in a dense layer before the encoder yields. */
const DENSE_SLICE = 16_384;

const elu = (x: number): number => (x > 0 ? x : Math.expm1(x));

/**
 * Creates a checkpoint's encoder. Returns undefined if the checkpoint has no encoder, or if a
 * tensor of the encoder is missing or has the wrong shape.
 */
export function createEncoder({ card, tensors }: Model): Encoder | undefined {
  const { encoder: network, side, latentSize, readout } = card;
  if (!network) return undefined;
  const channels = imageChannels(readout);
  if (misfitOf(tensors, encoderShapes(network, { side, channels, latentSize }))) return undefined;
  const weightsOf = (layer: string): Weights => ({
    kernel: tensors.get(`encoder.${layer}.kernel`)!,
    bias: tensors.get(`encoder.${layer}.bias`)!,
  });
  const size = side * side * channels;
  return {
    size,
    channels,
    *encode(pixels) {
      if (pixels.length !== size) throw new RangeError(`${pixels.length} numbers, not ${size}`);
      const data = network.input === '-1..1' ? pixels.map((value) => 2 * value - 1) : pixels;
      let layer: Layer = { side, channels, data };
      for (const [i, window] of network.convolutions.entries()) {
        layer = yield* convolve(layer, window, weightsOf(`conv${i}`));
      }
      let row = layer.data;
      for (let i = 0; i <= network.dense.length; i++) {
        row = yield* multiply(row, weightsOf(`dense${i}`));
        if (i < network.dense.length) row = row.map(elu);
      }
      const mean = row.slice(0, latentSize);
      const [low, high] = network.meanRange ?? [-Infinity, Infinity];
      return mean.map((value) => Math.min(high, Math.max(low, value)));
    },
  };
}

/** Applies a convolution with ELU. Yields after each row of outputs. */
function* convolve(
  from: Layer,
  { size, stride, pad }: EncoderNetwork['convolutions'][number],
  { kernel, bias }: Weights,
) {
  const side = Math.floor((from.side + 2 * pad - size) / stride) + 1;
  const channels = bias.data.length;
  const data = new Float32Array(side * side * channels);
  const sums = new Float64Array(channels);
  const layer = { inputs: from.data, count: from.channels, weights: kernel.data };
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      sums.set(bias.data);
      for (let j = 0; j < size; j++) {
        const row = y * stride + j - pad;
        if (row < 0 || row >= from.side) continue;
        for (let i = 0; i < size; i++) {
          const column = x * stride + i - pad;
          if (column < 0 || column >= from.side) continue;
          const at = (row * from.side + column) * from.channels;
          addProducts(sums, layer, at, (j * size + i) * from.channels);
        }
      }
      const to = (y * side + x) * channels;
      for (let c = 0; c < channels; c++) data[to + c] = elu(sums[c]);
    }
    yield;
  }
  return { side, channels, data } satisfies Layer;
}

interface Products {
  readonly inputs: Float32Array;
  readonly count: number;
  /** One row for each input, with a weight for each output. */
  readonly weights: Float32Array;
}

/**
 * Multiplies `count` consecutive inputs by their weights, and adds the products to `sums`.
 *
 * @param at index of the first input
 * @param first row with the weights of the first input
 */
function addProducts(
  sums: Float64Array,
  { inputs, count, weights }: Products,
  at: number,
  first: number,
): void {
  const outputs = sums.length;
  for (let i = 0; i < count; i++) {
    const input = inputs[at + i];
    // Skip zeros, because most pixels of a drawing are empty.
    if (input === 0) continue;
    const row = (first + i) * outputs;
    for (let c = 0; c < outputs; c++) sums[c] += input * weights[row + c];
  }
}

function* multiply(row: Float32Array, { kernel, bias }: Weights) {
  const outputs = bias.data.length;
  const sums = Float64Array.from(bias.data);
  const inputs = Math.max(1, Math.floor(DENSE_SLICE / outputs));
  for (let at = 0; at < row.length; at += inputs) {
    const count = Math.min(inputs, row.length - at);
    addProducts(sums, { inputs: row, count, weights: kernel.data }, at, at);
    yield;
  }
  return Float32Array.from(sums);
}
