/** The encoder q(z | x) = N(mean, diag σ²) as expressions. */

import type { Random } from '../../../shared/random.ts';
import type { Compute, Values } from '../../autodiff/compute.ts';
import type { Expression } from '../../autodiff/graph.ts';
import * as g from '../../autodiff/graph.ts';
import type { Parameters } from '../../autodiff/parameters.ts';
import { overCells } from '../../autodiff/rule.ts';
import type { Card } from '../../vnca/card.ts';
import type { EncoderNetwork } from '../../vnca/encoder-network.ts';
import { drawUpdateMask } from '../../vnca/scalar-rule.ts';
import type { Segment } from './segments.ts';

/** Parameters of q(z | x) as expressions. */
export interface Posterior {
  /** [N, Z]. */
  readonly mean: Expression;
  /** log σ, [N, Z]. */
  readonly logSigma: Expression;
}

/** Encodes images. @param images map [N, side, side, channels], 0…1 */
export function encode(net: EncoderNetwork, parameters: Parameters, images: Expression): Posterior {
  let x = net.input === '-1..1' ? g.subtract(g.multiply(images, 2), 1) : images;
  net.convolutions.forEach((layer, i) => {
    const seen = g.conv(x, parameters(`encoder.conv${i}.kernel`), layer);
    x = g.elu(g.add(seen, overCells(parameters(`encoder.conv${i}.bias`))));
  });
  const [n, height, width, channels] = x.shape;
  let row = g.reshape(x, [n, height * width * channels]);
  for (let i = 0; i <= net.dense.length; i++) {
    const bias = parameters(`encoder.dense${i}.bias`);
    const product = g.matMul(row, parameters(`encoder.dense${i}.kernel`));
    const sum = g.add(product, g.reshape(bias, [1, bias.shape[0]]));
    row = i < net.dense.length ? g.elu(sum) : sum;
  }
  const size = row.shape[1] / 2;
  return {
    mean: bounded(g.slice(row, 0, size), net.meanRange),
    logSigma: bounded(g.slice(row, size, 2 * size), net.logSigmaRange),
  };
}

const bounded = (x: Expression, range?: readonly [number, number]): Expression =>
  range ? g.clip(x, range[0], range[1]) : x;

/** z = mean + σ · noise, all [N, Z]. */
export const reparameterise = ({ mean, logSigma }: Posterior, noise: Expression): Expression =>
  g.add(mean, g.multiply(g.exp(logSigma), noise));

/** KL(q ‖ N(0, I)) = ½ Σ (mean² + σ² − 1 − 2 log σ), nats, [N, 1]. */
export function divergence({ mean, logSigma }: Posterior): Expression {
  const variance = g.exp(g.multiply(logSigma, 2));
  const terms = g.subtract(g.add(g.square(mean), variance), g.add(g.multiply(logSigma, 2), 1));
  return g.multiply(g.sum(terms, [1]), 0.5);
}

/**
 * Draws the masks of a segment.
 *
 * @param patches N
 * @returns [N, s, s] for each step; nothing if all cells take part in every step
 */
export function drawMasks(
  { updateProbability }: Pick<Card['update'], 'updateProbability'>,
  patches: number,
  { stage, steps }: Pick<Segment, 'stage' | 'steps'>,
  random: Random,
): Float32Array[] {
  if (updateProbability >= 1) return [];
  return Array.from({ length: steps }, () => {
    const mask = new Float32Array(patches * stage * stage);
    drawUpdateMask(mask, updateProbability, random);
    return mask;
  });
}

/**
 * Uploads masks of a segment.
 *
 * @param masks [N, s, s] each
 * @returns `mask0…` [N, s, s, 1]
 */
export function uploadMasks(
  compute: Compute,
  masks: readonly Float32Array[],
  { stage }: Pick<Segment, 'stage'>,
): Values {
  const entries = masks.map((mask, i) => {
    const shape = [mask.length / stage ** 2, stage, stage, 1];
    return [`mask${i}`, compute.upload(shape, mask)] as const;
  });
  return Object.fromEntries(entries);
}
