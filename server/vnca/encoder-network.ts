/** The encoder's net in the card: convolutions, dense layers, then mean and log σ of the latent. */
import * as v from 'valibot';

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const range = v.pipe(
  v.strictTuple([v.number(), v.number()]),
  v.check(([low, high]) => low < high, 'low end is not below the high end'),
);

/** Schema of the net. */
export const encoderNetwork = v.strictObject({
  /** Value range of input images. */
  input: v.picklist(['0..1', '-1..1']),
  /** Each k×k, ELU. */
  convolutions: v.pipe(
    v.array(
      v.strictObject({
        size: v.pipe(
          count,
          v.check((n) => n % 2 === 1, 'must be odd'),
        ),
        stride: v.picklist([1, 2]),
        pad: v.pipe(v.number(), v.integer(), v.minValue(0)),
        channels: count,
      }),
    ),
    v.minLength(1),
  ),
  /** Widths of dense layers with ELU before the last one. */
  dense: v.optional(v.array(count), []),
  /** Bounds of the mean; absent: free. */
  meanRange: v.exactOptional(range),
  /** Bounds of log σ; absent: free. */
  logSigmaRange: v.exactOptional(range),
});

/** A parsed description of the net. */
export type EncoderNetwork = v.InferOutput<typeof encoderNetwork>;

/**
 * The published encoder (Palm et al. 2022): five 5×5 convolutions, 32…512 channels, no dense layer
 * between.
 */
export function publishedEncoder(input: EncoderNetwork['input'], firstPad = 2): EncoderNetwork {
  return {
    input,
    convolutions: [32, 64, 128, 256, 512].map((channels, i) => ({
      size: 5,
      stride: i === 0 ? (1 as const) : (2 as const),
      pad: i === 0 ? firstPad : 2,
      channels,
    })),
    dense: [],
  };
}
