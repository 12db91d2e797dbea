/** Defines the state of a training run, and the shapes of its tensors. */
import { createRandom, hashText, type Random } from '../../../shared/random.ts';
import { initialise, type Shapes, type Tensors } from '../../autodiff/parameters.ts';
import { updateShapes } from '../../vnca/architecture.ts';
import { encoderShapes } from '../../vnca/encoder-network.ts';
import { imageChannels } from '../../vnca/readout.ts';
import type { TrainingConfig } from '../config.ts';
import type { Likelihood } from '../model/likelihood.ts';
import type { PoolStates } from '../rollout/pools.ts';

/** The complete state of a run. A resumed run gives the same result as an uninterrupted run. */
export interface RunState extends PoolStates {
  readonly update: number;
  /** Progress of the run at the last update, 0…1. */
  readonly reached: number;
  /**
   * Parameters `parameter:*`, Adam's moments `first:*` and `second:*`, and moving averages
   * `average:*`.
   */
  readonly tensors: Tensors;
}

/**
 * Returns the kind of likelihood that training maximises. The kind depends on the read-out: how the
 * colours of cells are computed from cell states.
 */
export function likelihoodOf({
  readout,
  sigma,
}: Pick<TrainingConfig, 'readout' | 'sigma'>): Likelihood {
  switch (readout.kind) {
    case 'bernoulli':
      return { kind: 'bernoulli', channel: readout.channel };
    case 'rgba-premultiplied':
      return { kind: 'gaussian', sigma, channels: readout.channels };
    case 'dmol':
      return { kind: 'dmol', mixtures: readout.mixtures };
  }
}

/** Name of the tensor [G, Z] with trained offsets, which are added to the gallery's latents. */
export const OFFSETS = 'gallery.offsets';

/** Name of the tensor [G, Z] with the gallery's latents. */
export const LATENTS = 'gallery.latents';

/**
 * Returns the shapes of all trained tensors, by name: the encoder, the rule (unless only the
 * encoder is trained), and the offsets of the gallery's latents, if any.
 */
export function trainedShapes(config: TrainingConfig): Shapes {
  const { gallery, galleryOffsets, latentSize, side, trains } = config;
  const channels = imageChannels(config.readout);
  return new Map([
    ...(trains === 'all' ? updateShapes(config) : []),
    ...encoderShapes(config.encoder, { side, channels, latentSize }),
    ...(galleryOffsets ? [[OFFSETS, [gallery, latentSize]] as const] : []),
  ]);
}

/**
 * Returns the shapes of the tensors that are not trained, by name: if only the encoder is trained,
 * the rule and the gallery's latents; else none.
 */
export function keptShapes(config: TrainingConfig): Shapes {
  if (config.trains === 'all') return new Map();
  return new Map([...updateShapes(config), [LATENTS, [config.gallery, config.latentSize]]]);
}

/** Returns the shapes of all tensors of a run, by name, trained or not. */
export const runShapes = (config: TrainingConfig): Shapes =>
  new Map([...trainedShapes(config), ...keptShapes(config)]);

/**
 * Returns the weights for a checkpoint: moving averages if `optimiser.average` is above 0, else the
 * current weights.
 */
export function trainedWeights(config: TrainingConfig, { tensors }: RunState): Tensors {
  const set = config.optimiser.average > 0 ? 'average' : 'parameter';
  return new Map(
    [...runShapes(config).keys()].map((name) => [
      name,
      tensors.get(`${set}:${name}`) ?? tensors.get(`parameter:${name}`)!,
    ]),
  );
}

export const randomOfUpdate = (seed: number, update: number): Random =>
  createRandom(hashText(`${seed} update ${update}`));

/** Creates the initial state of a run: random weights and empty pools of grown organisms. */
export function firstState(config: TrainingConfig): RunState {
  const drawn = initialise(runShapes(config), randomOfUpdate(config.seed, 0));
  const tensors = new Map([...drawn].map(([name, tensor]) => [`parameter:${name}`, tensor]));
  return { update: 0, reached: 0, tensors, pool: [], crowd: [], patients: [] };
}

/**
 * Chooses evenly spaced indices, starting with 0 and below `all`.
 *
 * @param limit maximum number of indices; 0 chooses all
 */
export function someOf(all: number, limit: number): number[] {
  const count = limit === 0 ? all : Math.min(limit, all);
  return Array.from({ length: count }, (_, i) => Math.floor((i * all) / count));
}

/**
 * Copies rows of a matrix.
 *
 * @param matrix [N, size]
 * @param chosen indices of the rows
 * @returns [chosen.length, size] the rows, in the order of `chosen`
 */
export function rowsOf(
  matrix: Float32Array,
  chosen: ArrayLike<number>,
  size: number,
): Float32Array {
  const rows = new Float32Array(chosen.length * size);
  for (let i = 0; i < chosen.length; i++) {
    rows.set(matrix.subarray(chosen[i] * size, (chosen[i] + 1) * size), i * size);
  }
  return rows;
}
