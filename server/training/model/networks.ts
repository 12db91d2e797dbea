/**
 * Builds nets as tensor expressions: the encoder q(z | x) = N(mean, diag σ²), and a convolutional
 * decoder without cells, for comparison. The cells' rule is built in `segments.ts`. Start reading
 * at `encode`.
 */
import type { Random } from '../../../shared/random.ts';
import type { Compute, Values } from '../../autodiff/compute.ts';
import type { Expression } from '../../autodiff/graph.ts';
import * as g from '../../autodiff/graph.ts';
import { type Parameters, parameterInputs, uploadParameters } from '../../autodiff/parameters.ts';
import { overCells } from '../../autodiff/rule.ts';
import { DECODER_KERNEL, misfitOf } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { type EncoderNetwork, encoderShapes } from '../../vnca/encoder-network.ts';
import { imageChannels } from '../../vnca/readout.ts';
import { drawUpdateMask } from '../../vnca/scalar-rule.ts';
import { TrainingError } from '../errors.ts';

/** Mean and log σ of the encoder's distribution of latents, q(z | x), as tensor expressions. */
interface Posterior {
  /** [N, Z] */
  readonly mean: Expression;
  /** [N, Z] */
  readonly logSigma: Expression;
}

/** Builds the encoder. @param images map [N, side, side, channels], 0…1 */
export function encode(net: EncoderNetwork, parameters: Parameters, images: Expression): Posterior {
  const input = net.input === '-1..1' ? g.subtract(g.multiply(images, 2), 1) : images;
  const x = convolved(net, parameters, input).at(-1) ?? input;
  const [n, height, width, channels] = x.shape;
  let row = g.reshape(x, [n, height * width * channels]);
  for (let i = 0; i <= net.dense.length; i++) {
    const sum = dense(row, parameters, `encoder.dense${i}`);
    row = i < net.dense.length ? g.elu(sum) : sum;
  }
  const size = row.shape[1] / 2;
  return {
    mean: bounded(g.slice(row, 0, size), net.meanRange),
    logSigma: bounded(g.slice(row, size, 2 * size), net.logSigmaRange),
  };
}

/** Builds an encoder's convolutional layers. @returns the output of each layer */
export function convolved(
  net: EncoderNetwork,
  parameters: Parameters,
  images: Expression,
): Expression[] {
  let x = images;
  return net.convolutions.map((layer, i) => {
    const seen = g.conv(x, parameters(`encoder.conv${i}.kernel`), layer);
    x = g.elu(g.add(seen, overCells(parameters(`encoder.conv${i}.bias`))));
    return x;
  });
}

/** Builds a dense layer, x · kernel + bias. @param x [N, inputs] @returns [N, outputs] */
export function dense(x: Expression, parameters: Parameters, name: string): Expression {
  const bias = parameters(`${name}.bias`);
  const product = g.matMul(x, parameters(`${name}.kernel`));
  return g.add(product, g.reshape(bias, [1, bias.shape[0]]));
}

const bounded = (x: Expression, range?: readonly [number, number]): Expression =>
  range ? g.clip(x, range[0], range[1]) : x;

/** Builds the samples z = mean + σ · noise. All shapes are [N, Z]. */
export const reparameterise = ({ mean, logSigma }: Posterior, noise: Expression): Expression =>
  g.add(mean, g.multiply(g.exp(logSigma), noise));

/** Builds KL(q ‖ N(0, I)) = ½ Σ (mean² + σ² − 1 − 2 log σ), in nats, [N, 1]. */
export function divergence({ mean, logSigma }: Posterior): Expression {
  const variance = g.exp(g.multiply(logSigma, 2));
  const terms = g.subtract(g.add(g.square(mean), variance), g.add(g.multiply(logSigma, 2), 1));
  return g.multiply(g.sum(terms, [1]), 0.5);
}

/** Number of images encoded together. */
const BATCH = 16;

export type Posteriors = Awaited<ReturnType<typeof openPosteriors>>;

/**
 * Compiles the encoder of a checkpoint.
 *
 * @throws TrainingError 'no-encoder' if the checkpoint has no encoder, or its tensors do not fit
 *   its card
 */
export async function openPosteriors(compute: Compute, { card, tensors }: Model) {
  const { encoder: network, side, latentSize: z } = card;
  if (!network) {
    const text = 'the checkpoint has no encoder, which turns images into latents';
    throw new TrainingError('no-encoder', text);
  }
  const channels = imageChannels(card.readout);
  const shapes = encoderShapes(network, { side, channels, latentSize: z });
  const misfit = misfitOf(tensors, shapes);
  if (misfit) throw new TrainingError('no-encoder', misfit);
  const shape = [BATCH, side, side, channels];
  const posterior = encode(network, parameterInputs(shapes), g.inputMap('image', shape));
  const program = await compute.compile({ mean: posterior.mean, logSigma: posterior.logSigma });
  const parameters = uploadParameters(compute, shapes.keys(), tensors);
  return {
    /**
     * Encodes images.
     *
     * @param images [N, S, S, c], 0…1
     * @returns mean and log σ, [N, Z] each
     */
    async encode(images: Float32Array, count: number) {
      const size = images.length / count;
      const result = { mean: new Float32Array(count * z), logSigma: new Float32Array(count * z) };
      for (let first = 0; first < count; first += BATCH) {
        const n = Math.min(BATCH, count - first);
        const filled = new Float32Array(BATCH * size);
        filled.set(images.subarray(first * size, (first + n) * size));
        const image = compute.upload(shape, filled);
        const { mean, logSigma } = await program.run({ ...parameters, image });
        result.mean.set((await compute.read(mean)).subarray(0, n * z), first * z);
        result.logSigma.set((await compute.read(logSigma)).subarray(0, n * z), first * z);
        compute.free(image, mean, logSigma);
      }
      return result;
    },
    async dispose(): Promise<void> {
      compute.free(...Object.values(parameters));
      await program.dispose();
    },
  };
}

/**
 * Draws random update masks for a segment. A step's mask says which cells the step updates.
 *
 * @param patches number of patches, N
 * @returns one mask per step, [N, s, s]; empty if every step updates all cells
 */
export function drawMasks(
  { updateProbability }: Pick<Card['update'], 'updateProbability'>,
  patches: number,
  { stage, steps }: { readonly stage: number; readonly steps: number },
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
 * Uploads the update masks of a segment.
 *
 * @param masks one mask per step, [N, s, s]
 * @returns program inputs `mask0`, `mask1`, …, [N, s, s, 1] each
 */
export function uploadMasks(
  compute: Compute,
  masks: readonly Float32Array[],
  { stage }: { readonly stage: number },
): Values {
  const entries = masks.map((mask, i) => {
    const shape = [mask.length / stage ** 2, stage, stage, 1];
    return [`mask${i}`, compute.upload(shape, mask)] as const;
  });
  return Object.fromEntries(entries);
}

const PAD = (DECODER_KERNEL - 1) / 2;

/**
 * Builds a decoder without cells, like the convolutional baseline of Palm et al. 2022.
 *
 * @param latents [N, Z]
 * @returns map [N, S, S, C], S = 2^(doublings + 1)
 */
export function decode(
  update: Extract<Card['update'], { kind: 'decoder' }>,
  parameters: Parameters,
  latents: Expression,
): Expression {
  const { hidden, doublings, activation } = update;
  const n = latents.shape[0];
  const activate = activation === 'relu' ? g.relu : g.elu;
  let x = g.reshapeToMap(dense(latents, parameters, 'update.dense'), [n, 2, 2, hidden]);
  for (let i = 0; i <= doublings; i++) {
    const kernel = parameters(`update.convolution${i}.kernel`);
    const stride = i < doublings ? 2 : 1;
    const side = x.shape[1] * stride;
    const spread = g.convInput(x, kernel, [n, side, side, kernel.shape[2]], { stride, pad: PAD });
    const shifted = g.add(spread, overCells(parameters(`update.convolution${i}.bias`)));
    x = i < doublings ? activate(shifted) : shifted;
  }
  return x;
}
