/** What rollouts need besides parameters: compiled programs, images, and zero gradients. */
import type { Compute, Value, Values } from './autodiff/compute.ts';
import { sizeOf } from './autodiff/graph.ts';
import type { TrainingConfig } from './config.ts';
import type { Dataset } from './data/dataset.ts';
import { imageChannels } from './model/likelihood.ts';
import { Segments } from './model/segments.ts';
import { likelihoodOf } from './run-state.ts';
import { TrainableEncoder } from './trainable-encoder.ts';

/** The images of a set, without their descriptions. */
export type Pixels = Pick<Dataset, 'side' | 'channels' | 'count' | 'pixels'>;

/** One per thread. */
export interface TrainingContext {
  readonly compute: Compute;
  readonly config: TrainingConfig;
  readonly data: Pixels;
  readonly encoder: TrainableEncoder;
  readonly segments: Segments;
  /** `total:*` of the segments, all zero: the initial sums of gradients. */
  readonly zeros: Values;
}

/**
 * Compiles the encoder and prepares the segments of a configuration. Dispose with
 * `closeTrainingContext`.
 */
export async function openTrainingContext(
  compute: Compute,
  config: TrainingConfig,
  data: Pixels,
): Promise<TrainingContext> {
  const { side, latentSize, places, sigma } = config;
  const { micro: batch } = config.batch;
  const likelihood = likelihoodOf(config);
  const image = { side, channels: imageChannels(likelihood), latentSize };
  const encoder = await TrainableEncoder.create(compute, config.encoder, image, batch);
  const segments = new Segments({
    ...{ compute, spec: config, likelihood, batch },
    ...(places && { places: { ...places, sigma } }),
  });
  const zeros: Record<string, Value> = {};
  for (const [name, shape] of segments.totalShapes) {
    zeros[`total:${name}`] = compute.upload(shape, new Float32Array(sizeOf(shape)));
  }
  return { compute, config, data, encoder, segments, zeros };
}

/** Frees the memory of a context; its compute stays open. */
export async function closeTrainingContext(context: TrainingContext): Promise<void> {
  const { compute, encoder, segments, zeros } = context;
  compute.free(...Object.values(zeros));
  await segments.dispose();
  await encoder.dispose();
}
