/**
 * The convolutional VAE that the VNCA is measured against: the same encoder, transposed
 * convolutions as decoder.
 */

import type { Expression, Shape } from '../../../../server/training/autodiff/graph.ts';
import * as g from '../../../../server/training/autodiff/graph.ts';
import type { Parameters } from '../../../../server/training/model/parameters.ts';
import { overCells } from '../../../../server/training/model/rule.ts';

export interface BaselineNetwork {
  readonly latentSize: number;
  /** Channels of the first 2×2 map and of the maps after each doubling. */
  readonly channels: readonly number[];
  /** Channels of the result: 1 logit, or 10 a mixture. */
  readonly outputs: number;
  /** Whether the dense layer has an activation too. */
  readonly denseElu: boolean;
}

/** MNIST on 32×32, 4,879,617 parameters (Palm et al. 2022; Aillet & Sondén 2023). */
export const MNIST_BASELINE: BaselineNetwork = {
  latentSize: 256,
  channels: [512, 256, 128, 64, 32],
  outputs: 1,
  denseElu: false,
};
/** CelebA on 64×64, 2,036,780 parameters. */
export const CELEBA_BASELINE: BaselineNetwork = {
  latentSize: 256,
  channels: [320, 160, 80, 40, 20, 10],
  outputs: 10,
  denseElu: true,
};

const SIZE = 5;
const PAD = 2;

/**
 * Name and shape of every tensor of the decoder; kernels [k, k, out, in], as `convInput` takes
 * them.
 */
export function baselineShapes(net: BaselineNetwork): Map<string, Shape> {
  const { channels, latentSize, outputs } = net;
  const shapes = new Map<string, Shape>();
  shapes.set('decoder.dense.kernel', [latentSize, 4 * channels[0]]);
  shapes.set('decoder.dense.bias', [4 * channels[0]]);
  [...channels.slice(1), outputs].forEach((next, i) => {
    shapes.set(`decoder.conv${i}.kernel`, [SIZE, SIZE, next, channels[i]]);
    shapes.set(`decoder.conv${i}.bias`, [next]);
  });
  return shapes;
}

/**
 * @param latents [N, Z]
 * @returns map [N, side, side, outputs], side = 2^(number of maps)
 */
export function decodeBaseline(
  net: BaselineNetwork,
  parameters: Parameters,
  latents: Expression,
): Expression {
  const n = latents.shape[0];
  const bias = parameters('decoder.dense.bias');
  const row = g.add(
    g.matMul(latents, parameters('decoder.dense.kernel')),
    g.reshape(bias, [1, bias.shape[0]]),
  );
  let x = g.reshapeToMap(net.denseElu ? g.elu(row) : row, [n, 2, 2, net.channels[0]]);
  const widths = [...net.channels.slice(1), net.outputs];
  widths.forEach((width, i) => {
    const isLast = i === widths.length - 1;
    const stride = isLast ? 1 : 2;
    const side = x.shape[1] * stride;
    const spread = g.convInput(x, parameters(`decoder.conv${i}.kernel`), [n, side, side, width], {
      stride,
      pad: PAD,
    });
    const shifted = g.add(spread, overCells(parameters(`decoder.conv${i}.bias`)));
    x = isLast ? shifted : g.elu(shifted);
  });
  return x;
}
