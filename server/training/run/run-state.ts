/** Defines the state of a training run, and the names and shapes of its tensors. */
import { createRandom, hashText, type Random } from '../../../shared/random.ts';
import { initialise, type Shapes, type Tensors } from '../../autodiff/parameters.ts';
import { updateShapes } from '../../vnca/architecture.ts';
import { encoderShapes } from '../../vnca/encoder-network.ts';
import { imageChannels } from '../../vnca/readout.ts';
import type { TrainingConfig } from '../config.ts';
import type { Likelihood } from '../model/likelihood.ts';
import type { PoolStates } from '../rollout/pools.ts';

/**
 * The complete state of a run: a run that is resumed with this state gives the same result as an
 * uninterrupted run.
 */
export interface RunState extends PoolStates {
  /** Number of updates done. */
  readonly update: number;
  /** Progress of the run at the last update, 0…1; see `progressOf`. */
  readonly reached: number;
  /**
   * Parameters `parameter:*`, Adam's moments `first:*` and `second:*`, and averages `average:*`.
   */
  readonly tensors: Tensors;
}

/** Returns the kind of likelihood that training maximises for a read-out. */
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

/** Name of the tensor with the trained offsets of the gallery's latents, [G, Z]. */
export const OFFSETS = 'gallery.offsets';

/** Name of the tensor with the gallery's latents, [G, Z]. */
export const LATENTS = 'gallery.latents';

/**
 * Returns the names and shapes of all trained tensors: those of the rule (unless only the encoder
 * is trained), those of the encoder, and the offsets of gallery latents, if any.
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
 * Returns the names and shapes of the tensors that are not trained. If only the encoder is trained,
 * these are the tensors of the rule and the gallery's latents; else there are none.
 */
export function keptShapes(config: TrainingConfig): Shapes {
  if (config.trains === 'all') return new Map();
  return new Map([...updateShapes(config), [LATENTS, [config.gallery, config.latentSize]]]);
}

/** Returns the names and shapes of all tensors of a run, both trained and not trained. */
export const runShapes = (config: TrainingConfig): Shapes =>
  new Map([...trainedShapes(config), ...keptShapes(config)]);

/**
 * Returns the weights that a checkpoint of this run contains: the moving averages of the weights if
 * `optimiser.average` is above 0, else the current weights.
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

/** Creates the initial state of a run: random weights and empty pools. */
export function firstState(config: TrainingConfig): RunState {
  const drawn = initialise(runShapes(config), randomOfUpdate(config.seed, 0));
  const tensors = new Map([...drawn].map(([name, tensor]) => [`parameter:${name}`, tensor]));
  return { update: 0, reached: 0, tensors, pool: [], crowd: [], patients: [] };
}

/**
 * Chooses evenly spaced indices from 0 to `all - 1`.
 *
 * @param limit maximum number of indices; 0: all indices
 */
export function someOf(all: number, limit: number): number[] {
  const count = limit === 0 ? all : Math.min(limit, all);
  return Array.from({ length: count }, (_, i) => Math.floor((i * all) / count));
}

/**
 * Copies rows of a matrix.
 *
 * @param matrix [N, size]
 * @param chosen indices of the rows to copy
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
