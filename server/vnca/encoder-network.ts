/**
 * The schema of an encoder's net in the checkpoint's card. The net consists of convolutions
 * followed by dense layers. Its outputs are the mean of the latent and the logarithm of the
 * standard deviation (log σ).
 */
import * as v from 'valibot';
import { size } from '../../shared/common-schemas.ts';

const range = v.pipe(
  v.strictTuple([v.number(), v.number()]),
  v.check(([low, high]) => low < high, 'the first number must be less than the second number'),
);

export const encoderNetwork = v.strictObject({
  /** Value range of input images. */
  input: v.picklist(['0..1', '-1..1']),
  /**
   * The convolutions, in order. Each kernel is `size` × `size`, and each result passes through the
   * ELU function.
   */
  convolutions: v.pipe(
    v.array(
      v.strictObject({
        size: v.pipe(
          size,
          v.check((n) => n % 2 === 1, 'must be odd'),
        ),
        stride: v.picklist([1, 2]),
        pad: v.pipe(v.number(), v.integer(), v.minValue(0)),
        channels: size,
      }),
    ),
    v.minLength(1),
  ),
  /**
   * Number of outputs of each dense layer except the last. These outputs pass through the ELU
   * function.
   */
  dense: v.optional(v.array(size), []),
  /** Bounds of the latent's mean. If absent, the mean is unbounded. */
  meanRange: v.exactOptional(range),
  /** Bounds of the latent's log σ. If absent, log σ is unbounded. */
  logSigmaRange: v.exactOptional(range),
});

export type EncoderNetwork = v.InferOutput<typeof encoderNetwork>;

/** Sizes of the images that an encoder reads, and of the latents that it computes. */
export interface EncoderInput {
  /** Side of an image, in pixels. */
  readonly side: number;
  /** Number of channels of an image: 1, 3 or 4. */
  readonly channels: number;
  readonly latentSize: number;
}

/** Lists the name and shape of every tensor of an encoder. */
export function encoderShapes(
  net: EncoderNetwork,
  image: EncoderInput,
): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const layer = (name: string, kernel: readonly number[]): void => {
    shapes.set(`encoder.${name}.kernel`, kernel);
    shapes.set(`encoder.${name}.bias`, kernel.slice(-1));
  };
  let { side, channels } = image;
  net.convolutions.forEach((of, i) => {
    layer(`conv${i}`, [of.size, of.size, channels, of.channels]);
    side = Math.floor((side + 2 * of.pad - of.size) / of.stride) + 1;
    channels = of.channels;
  });
  let width = side * side * channels;
  [...net.dense, 2 * image.latentSize].forEach((next, i) => {
    layer(`dense${i}`, [width, next]);
    width = next;
  });
  return shapes;
}
