/** What rollouts need besides parameters: compiled programs, images, and zero gradients. */

import type { Compute, Value, Values } from '../autodiff/compute.ts';
import { gradients } from '../autodiff/gradients.ts';
import * as g from '../autodiff/graph.ts';
import { parameterInputs } from '../autodiff/parameters.ts';
import { type EncoderInput, type EncoderNetwork, encoderShapes } from '../vnca/encoder-network.ts';
import { imageChannels } from '../vnca/readout.ts';
import type { TrainingConfig } from './config.ts';
import type { Dataset } from './data/dataset.ts';
import { divergence, encode, reparameterise } from './model/networks.ts';
import { Segments } from './model/segments.ts';
import { likelihoodOf, OFFSETS } from './run-state.ts';

/** The images of a set, without their descriptions. */
export type Pixels = Pick<Dataset, 'side' | 'channels' | 'count' | 'pixels' | 'splits'>;

/** One per thread. */
export type TrainingContext = Awaited<ReturnType<typeof openTrainingContext>>;

/** Compiles the encoder and prepares the segments of a configuration. */
export async function openTrainingContext(compute: Compute, config: TrainingConfig, data: Pixels) {
  const { side, latentSize, places, sigma } = config;
  const rest = config.pool?.calm?.rest;
  const { micro: batch } = config.batch;
  const likelihood = likelihoodOf(config);
  const image = { side, channels: imageChannels(likelihood), latentSize };
  const gallery = config.galleryOffsets ? config.gallery : 0;
  const encoder = await compileEncoder(compute, config.encoder, image, { batch, gallery });
  const segments = new Segments({
    ...{ compute, spec: config, likelihood, batch },
    ...(places && { places: { ...places, sigma } }),
    ...(rest && { rest: { weight: rest, sigma } }),
    isKept: config.trains === 'encoder',
  });
  const zeros: Record<string, Value> = {};
  for (const [name, shape] of segments.totalShapes) {
    zeros[`total:${name}`] = compute.upload(shape, new Float32Array(g.sizeOf(shape)));
  }
  const rows = new Map(
    Array.from(data.splits.train.subarray(0, gallery), (image, i) => [image, i]),
  );
  return {
    ...{ compute, config, data, encoder, segments },
    /**
     * Input of the encoder where the gallery has offsets: the row of each image.
     *
     * @param images indices into the set; undefined for one that is changed
     */
    shownOf(images: readonly (number | undefined)[]): Record<string, Value> {
      if (gallery === 0) return {};
      const shown = new Float32Array(images.length * gallery);
      images.forEach((image, i) => {
        const row = image === undefined ? undefined : rows.get(image);
        if (row !== undefined) shown[i * gallery + row] = 1;
      });
      return { shown: compute.upload([images.length, gallery], shown) };
    },
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

/** Programs of the encoder for one batch size, with offsets for the images of a gallery. */
async function compileEncoder(
  compute: Compute,
  net: EncoderNetwork,
  { side, channels, latentSize }: EncoderInput,
  { batch, gallery }: { readonly batch: number; readonly gallery: number },
) {
  const shapes = new Map(encoderShapes(net, { side, channels, latentSize }));
  if (gallery > 0) shapes.set(OFFSETS, [gallery, latentSize]);
  const parameters = parameterInputs(shapes);
  const images = g.inputMap('image', [batch, side, side, channels]);
  const encoded = encode(net, parameters, images);
  const posterior =
    gallery === 0
      ? encoded
      : {
          ...encoded,
          mean: g.add(
            encoded.mean,
            g.matMul(g.input('shown', [batch, gallery]), parameters(OFFSETS)),
          ),
        };
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
     * Inputs: `image` [N, S, S, c], `noise` [N, Z], `parameter:*`, with a gallery `shown` [N, G]: 1 for
     * its image. Outputs: `latents`, `mean`, `logSigma` [N, Z], `divergence` [N], nats.
     */
    forward: await compute.compile({
      latents,
      mean: posterior.mean,
      logSigma: posterior.logSigma,
      divergence: g.reshape(nats, [batch]),
    }),
    /**
     * Further inputs: `total:latents`, the change of the latents; `divergenceWeight` [N], the weight
     * of a nat of divergence. Outputs: `total:encoder.*` and that of the offsets, the gradients of
     * this batch.
     */
    reverse: await compute.compile(
      Object.fromEntries(names.map((name, i) => [`total:${name}`, slopes[i]])),
    ),
  };
}
