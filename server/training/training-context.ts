/** What lives are run with. */
import type { Compute, Value, Values } from './autodiff/compute.ts';
import type { TrainingConfig } from './config.ts';
import type { Dataset } from './data/dataset.ts';
import { imageChannels } from './model/likelihood.ts';
import { Segments } from './model/segments.ts';
import { Posteriors } from './posterior.ts';
import { likelihoodOf } from './run-state.ts';

/** What lives see of a set. */
export type Pixels = Pick<Dataset, 'side' | 'channels' | 'count' | 'pixels'>;

export interface TrainingContext {
  readonly compute: Compute;
  readonly config: TrainingConfig;
  readonly data: Pixels;
  readonly posteriors: Posteriors;
  readonly segments: Segments;
  /** `total:*` of the segments, all zero: where every life's gradients begin. */
  readonly zeros: Values;
}

export async function openTrainingContext(
  compute: Compute,
  config: TrainingConfig,
  data: Pixels,
): Promise<TrainingContext> {
  const { side, latentSize } = config;
  const likelihood = likelihoodOf(config);
  const channels = imageChannels(likelihood);
  const image = { side, channels, latentSize };
  const { micro } = config.batch;
  const posteriors = await Posteriors.create(compute, config.encoder, image, micro);
  const segments = new Segments(compute, config, likelihood, channels, micro, taught(config));
  const zeros: Record<string, Value> = {};
  for (const [name, shape] of segments.totalShapes) {
    const size = shape.reduce((a, b) => a * b, 1);
    zeros[`total:${name}`] = compute.upload(shape, new Float32Array(size));
  }
  return { compute, config, data, posteriors, segments, zeros };
}

/** What cells are taught of their places. */
const taught = ({ places, sigma }: TrainingConfig) => places && { ...places, sigma };

export async function closeTrainingContext(context: TrainingContext): Promise<void> {
  const { compute, posteriors, segments, zeros } = context;
  compute.free(...Object.values(zeros));
  await segments.dispose();
  await posteriors.dispose();
}
