/**
 * Builds tensor expressions for log p(image | states), the log-likelihood of an image given the
 * cell states, in nats and summed over pixels.
 */
import * as g from '../../autodiff/graph.ts';
import { type Expression, slice } from '../../autodiff/graph.ts';

export type Likelihood =
  /** Binary pixels. The channel holds the logit of each pixel. */
  | { readonly kind: 'bernoulli'; readonly channel: number }
  /** Premultiplied RGBA with Gaussian noise of standard deviation `sigma`. */
  | {
      readonly kind: 'gaussian';
      readonly sigma: number;
      /** The channels of the picture, which must be consecutive. */
      readonly channels: readonly number[];
    }
  /** RGB with 256 levels per colour, distributed as a discretised mixture of logistics. */
  | { readonly kind: 'dmol'; readonly mixtures: number };

/** Returns whether channel numbers are consecutive, so that one slice contains all channels. */
export const areConsecutive = (channels: readonly number[]): boolean =>
  channels.every((channel, i) => channel === channels[0] + i);

/**
 * Returns the log-likelihood of images. For a Gaussian, the constant term (−½ log 2πσ² per value)
 * is omitted.
 *
 * @param states map [N, H, W, C]
 * @param images map [N, H, W, 1 | 3 | 4], 0…1
 * @returns map [N, 1, 1, 1]: nats per image
 */
export function logLikelihood(
  likelihood: Likelihood,
  states: Expression,
  images: Expression,
): Expression {
  switch (likelihood.kind) {
    case 'bernoulli': {
      const logits = slice(states, likelihood.channel, likelihood.channel + 1);
      // log p is −softplus(−l) for a pixel 1 with logit l, and −softplus(l) for a pixel 0. For a
      // pixel x, both equal x·l − softplus(l).
      return sumPixels(g.subtract(g.multiply(images, logits), g.softplus(logits)));
    }
    case 'gaussian': {
      const [first] = likelihood.channels;
      const shown = slice(states, first, first + likelihood.channels.length);
      const squares = sumPixels(g.square(g.subtract(shown, images)));
      return g.multiply(squares, -0.5 / likelihood.sigma ** 2);
    }
    case 'dmol':
      return sumPixels(dmol(states, images, likelihood.mixtures));
  }
}

const sumPixels = (x: Expression): Expression => g.sum(x, [1, 2, 3]);

const MIN_LOG_SCALE = -7;
const HALF_BIN = 1 / 255;

/**
 * Returns the log-probability of each pixel under a discretised mixture of logistics (Salimans et
 * al. 2017, PixelCNN++). For n logistics, the channels of `states` are, as in the published VNCA
 * (Palm et al. 2022): n logits, then, for each colour, n means, n log-scales and n coefficients.
 *
 * @param mixtures number of logistics, n
 * @returns [N, H, W, 1]
 */
function dmol(states: Expression, images: Expression, mixtures: number): Expression {
  const n = mixtures;
  const x = [0, 1, 2].map((c) => g.subtract(g.multiply(slice(images, c, c + 1), 2), 1));
  const part = (colour: number, what: number): Expression => {
    const from = n + 3 * n * colour + n * what;
    return slice(states, from, from + n);
  };
  const means = [0, 1, 2].map((colour) => part(colour, 0));
  const coefficients = [0, 1, 2].map((colour) => g.tanh(part(colour, 2)));
  const shifted = [
    means[0],
    g.add(means[1], g.multiply(coefficients[0], x[0])),
    g.add(means[2], g.add(g.multiply(coefficients[1], x[0]), g.multiply(coefficients[2], x[1]))),
  ];
  let total = logSoftmax(slice(states, 0, n));
  for (const colour of [0, 1, 2]) {
    const logScale = g.maximum(part(colour, 1), MIN_LOG_SCALE);
    total = g.add(total, logBin(g.subtract(x[colour], shifted[colour]), logScale, x[colour]));
  }
  return logSumExp(total);
}

/**
 * Returns the log-probability that a logistic distribution assigns to the bin around x. The lowest
 * and highest bins extend to infinity.
 *
 * @returns [N, H, W, n]
 */
function logBin(centred: Expression, logScale: Expression, x: Expression): Expression {
  const sharpness = g.exp(g.negative(logScale));
  const above = g.multiply(g.add(centred, HALF_BIN), sharpness);
  const below = g.multiply(g.subtract(centred, HALF_BIN), sharpness);
  const middle = g.multiply(centred, sharpness);
  const mass = g.subtract(g.sigmoid(above), g.sigmoid(below));
  const inner = g.where(
    g.greater(mass, 1e-5),
    g.log(g.maximum(mass, 1e-12)),
    g.subtract(
      g.subtract(g.subtract(middle, logScale), g.multiply(g.softplus(middle), 2)),
      Math.log(127.5),
    ),
  );
  const lowest = g.subtract(above, g.softplus(above));
  const highest = g.negative(g.softplus(below));
  const spread = (condition: Expression): Expression => g.expand(condition, inner.shape);
  return g.where(
    spread(g.greater(g.constant(-0.999), x)),
    lowest,
    g.where(spread(g.greater(x, 0.999)), highest, inner),
  );
}

function logSumExp(x: Expression): Expression {
  const top = g.max(x, [3]);
  return g.add(g.log(g.sum(g.exp(g.subtract(x, top)), [3])), top);
}

const logSoftmax = (x: Expression): Expression => g.subtract(x, logSumExp(x));

/**
 * Options of the position loss, which teaches cells to represent their position in some channels.
 */
export interface PositionLoss {
  /** First of the `4 · octaves` channels that represent the position. */
  readonly channel: number;
  /**
   * Number of waves per axis that represent a position. Over the width of the patch, the first wave
   * has half a period. Each further wave has twice as many periods as the wave before.
   */
  readonly octaves: number;
  /** Weight of a position channel relative to a colour channel. */
  readonly weight: number;
}

export const positionChannels = ({ octaves }: Pick<PositionLoss, 'octaves'>): number => 4 * octaves;

/**
 * Returns the values that position channels should have: for each octave, cos and sin of
 * π·2^octave·u, then cos and sin of π·2^octave·v. u is the horizontal and v the vertical position
 * in the patch (0…1).
 *
 * @returns [1, side, side, 4 · octaves]
 */
export function positionFields(side: number, octaves: number): Float32Array {
  const channels = positionChannels({ octaves });
  const fields = new Float32Array(side * side * channels);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at = (y * side + x) * channels;
      for (let octave = 0; octave < octaves; octave++) {
        [x, y].forEach((place, axis) => {
          const phase = (Math.PI * 2 ** octave * (place + 0.5)) / side;
          fields[at + 4 * octave + 2 * axis] = Math.cos(phase);
          fields[at + 4 * octave + 2 * axis + 1] = Math.sin(phase);
        });
      }
    }
  }
  return fields;
}

/**
 * Returns `weight` times the log-likelihood of the values that position channels should have, in
 * nats, under a Gaussian around the values that the cells have. Omits the constant term.
 *
 * @param states map [N, H, W, C]
 * @param fields expected values (see `positionFields`), map [1, H, W, 4 · octaves]
 * @param sigma standard deviation of the Gaussian
 * @returns map [N, 1, 1, 1]
 */
export function positionNats(
  states: Expression,
  fields: Expression,
  { channel, octaves, weight }: PositionLoss,
  sigma: number,
): Expression {
  const shown = g.slice(states, channel, channel + positionChannels({ octaves }));
  const errors = g.sum(g.square(g.subtract(shown, fields)), [1, 2, 3]);
  return g.multiply(errors, (-0.5 * weight) / sigma ** 2);
}
