/** What rollouts need besides parameters: compiled programs, images, and zero gradients. */

import type { Compute, Value, Values } from '../autodiff/compute.ts';
import { gradients } from '../autodiff/gradients.ts';
import * as g from '../autodiff/graph.ts';
import { parameterInputs } from '../autodiff/parameters.ts';
import { type EncoderInput, type EncoderNetwork, encoderShapes } from '../vnca/encoder-network.ts';
import { imageChannels } from '../vnca/readout.ts';
import type { TrainingConfig } from './config.ts';
import type { Dataset } from './data/dataset.ts';
import { divergence, encode, reparameterise } from './model/encoder.ts';
import { Segments } from './model/segments.ts';
import { likelihoodOf } from './run-state.ts';

/** The images of a set, without their descriptions. */
export type Pixels = Pick<Dataset, 'side' | 'channels' | 'count' | 'pixels'>;

/** One per thread. */
export type TrainingContext = Awaited<ReturnType<typeof openTrainingContext>>;

/** Compiles the encoder and prepares the segments of a configuration. */
export async function openTrainingContext(compute: Compute, config: TrainingConfig, data: Pixels) {
  const { side, latentSize, places, sigma } = config;
  const rest = config.pool?.calm?.rest;
  const { micro: batch } = config.batch;
  const likelihood = likelihoodOf(config);
  const image = { side, channels: imageChannels(likelihood), latentSize };
  const encoder = await compileEncoder(compute, config.encoder, image, batch);
  const segments = new Segments({
    ...{ compute, spec: config, likelihood, batch },
    ...(places && { places: { ...places, sigma } }),
    ...(rest && { rest: { weight: rest, sigma } }),
  });
  const zeros: Record<string, Value> = {};
  for (const [name, shape] of segments.totalShapes) {
    zeros[`total:${name}`] = compute.upload(shape, new Float32Array(g.sizeOf(shape)));
  }
  return {
    ...{ compute, config, data, encoder, segments },
    /** `total:*` of the segments, all zero: the initial sums of gradients. */
    zeros: zeros as Values,
    /** Frees its memory; its compute stays open. */
    async close(): Promise<void> {
      compute.free(...Object.values(zeros));
      await segments.dispose();
      await encoder.forward.dispose();
      await encoder.reverse.dispose();
    },
  };
}

/** Programs of the encoder for one batch size. */
async function compileEncoder(
  compute: Compute,
  net: EncoderNetwork,
  { side, channels, latentSize }: EncoderInput,
  batch: number,
) {
  const shapes = encoderShapes(net, { side, channels, latentSize });
  const parameters = parameterInputs(shapes);
  const images = g.inputMap('image', [batch, side, side, channels]);
  const posterior = encode(net, parameters, images);
  const latents = reparameterise(posterior, g.input('noise', [batch, latentSize]));
  const nats = divergence(posterior);
  const names = [...shapes.keys()];
  const slopes = gradients(
    [
      { result: latents, change: g.input('total:latents', latents.shape) },
      { result: nats, change: g.reshape(g.input('divergenceWeight', [batch]), [batch, 1]) },
    ],
    names.map(parameters),
  );
  return {
    /**
     * Inputs: `image` [N, S, S, c], `noise` [N, Z], `parameter:*`. Outputs: `latents`, `mean`,
     * `logSigma` [N, Z], `divergence` [N], nats.
     */
    forward: await compute.compile({
      latents,
      mean: posterior.mean,
      logSigma: posterior.logSigma,
      divergence: g.reshape(nats, [batch]),
    }),
    /**
     * Further inputs: `total:latents`, the change of the latents; `divergenceWeight` [N], the weight
     * of a nat of divergence. Outputs: `total:encoder.*`, the gradients of this batch.
     */
    reverse: await compute.compile(
      Object.fromEntries(names.map((name, i) => [`total:${name}`, slopes[i]])),
    ),
  };
}
