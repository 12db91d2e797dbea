/**
 * Refines the latent of a picture, such as a visitor's drawing, with gradient steps through the
 * rule's growth. The encoder alone is exact only for pictures that it was trained on; for others it
 * finds no more than the colour and the rough shape.
 */

import { growthSchedule, updateShapes } from '../vnca/architecture.ts';
import type { Checkpoint } from '../vnca/checkpoint.ts';
import { bounded, type LatentBounds } from '../vnca/genome.ts';
import type { Compute } from './compute.ts';
import { gradients } from './gradients.ts';
import type { Expression } from './graph.ts';
import * as g from './graph.ts';
import { parameterInputs, uploadParameters } from './parameters.ts';
import { readGenome, ruleSteps } from './rule.ts';

export type RefinedModel = Pick<Checkpoint, 'card' | 'tensors'>;

export interface Refinement {
  /** The picture, [side, side, channels], with values 0…1. */
  readonly image: Float32Array;
  /** Initial latent, [Z]. */
  readonly latent: Float32Array;
  /** Time limit for refining, in ms. A step that has begun is still completed. */
  readonly budget: number;
  /**
   * Weight of the mean squared distance from the initial latent, relative to the picture's error.
   */
  readonly pull?: number;
}

/** What refining reduces: the error of the picture that a latent grows into. */
export interface Objective {
  /**
   * @param latent [Z]
   * @param image [side, side, channels], 0…1
   * @returns the mean squared error of the picture, and its gradient, [Z]
   */
  evaluate(
    latent: Float32Array,
    image: Float32Array,
  ): Promise<{ readonly error: number; readonly slope: Float32Array }>;
  /** Frees the memory on the device. */
  dispose?(): Promise<void>;
}

/** Maximum number of gradient steps; further steps change little. */
const MOST_STEPS = 48;
/**
 * Settings of Adam: the initial step size, the final step size as a share of the initial one, and
 * the decays of the moments.
 */
const RATE = 0.15;
const LAST_RATE = 0.2;
const DECAY = 0.9;
const SQUARE_DECAY = 0.99;

/**
 * Whether a checkpoint's latents can be refined. The rule's pictures must be differentiable, and
 * its updates must not be random.
 */
export const canRefine = ({
  readout,
  update,
}: Pick<RefinedModel['card'], 'readout' | 'update'>): boolean =>
  update.kind !== 'decoder' &&
  readout.kind === 'rgba-premultiplied' &&
  readout.channels.every((channel, i) => channel === readout.channels[0] + i) &&
  update.updateProbability === 1;

export interface RefinerOptions {
  /** Returns the current time, in ms. */
  readonly now: () => number;
  /** Called before each step. If it returns true, refining ends with the best latent so far. */
  readonly isStopped?: () => boolean;
  /** Bounds within which to search for latents, because a room shortens latents outside them. */
  readonly bounds?: LatentBounds;
}

/**
 * Creates the function that refines one picture at a time.
 *
 * @returns a function that returns the best latent found, [Z]
 */
export function createRefiner(
  objective: Objective,
  { now, isStopped = () => false, bounds }: RefinerOptions,
): (refinement: Refinement) => Promise<Float32Array> {
  const within = (latent: Float32Array) => (bounds ? bounded(latent, bounds) : latent);
  return async ({ image, latent, budget, pull = 0 }) => {
    const start = now();
    const [mean, square] = [new Float64Array(latent.length), new Float64Array(latent.length)];
    let best = { loss: Infinity, latent };
    let at = within(latent);
    for (let step = 1; step <= MOST_STEPS && !isStopped(); step++) {
      const { error, slope } = await objective.evaluate(at, image);
      const loss = error + pull * meanSquare(at, latent);
      if (loss < best.loss) best = { loss, latent: at };
      const share = Math.max((now() - start) / budget, step / MOST_STEPS);
      if (!(share < 1)) break;
      const rate = RATE * (1 + (LAST_RATE - 1) * share);
      const moved = at.map((value, i) => {
        const slopeOfLoss = slope[i] + (2 * pull * (value - latent[i])) / latent.length;
        mean[i] += (1 - DECAY) * (slopeOfLoss - mean[i]);
        square[i] += (1 - SQUARE_DECAY) * (slopeOfLoss ** 2 - square[i]);
        const spread = Math.sqrt(square[i] / (1 - SQUARE_DECAY ** step));
        return value - (rate * (mean[i] / (1 - DECAY ** step))) / (spread + 1e-12);
      });
      at = within(moved);
    }
    return best.latent;
  };
}

const meanSquare = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length;

/**
 * Compiles the objective for a back end.
 *
 * @param restSteps number of steps to compute after growth, 0 or more. If not 0, the picture after
 * these steps counts for half of the error: cells drift from their first picture to a resting
 * picture, which visitors see for longer
 */
export async function compileObjective(
  compute: Compute,
  model: RefinedModel,
  restSteps = 0,
): Promise<Objective> {
  const { latentSize, side } = model.card;
  const program = await compute.compile(errorAndSlope(model, restSteps));
  const weights = uploadParameters(compute, updateShapes(model.card).keys(), model.tensors);
  return {
    async evaluate(latent, image) {
      const inputs = {
        latent: compute.upload([1, latentSize], latent),
        image: compute.upload([1, side, side, 4], image),
      };
      const results = await program.run({ ...weights, ...inputs });
      const [error] = await compute.read(results.error);
      const slope = await compute.read(results.slope);
      compute.free(...Object.values(inputs), results.error, results.slope);
      return { error, slope };
    },
    async dispose() {
      compute.free(...Object.values(weights));
      await program.dispose();
    },
  };
}

/** Builds the error and its gradient from the inputs `latent` [1, Z], `image` and `parameter:*`. */
function errorAndSlope(
  { card }: RefinedModel,
  restSteps: number,
): { error: Expression; slope: Expression } {
  const { channels, latentSize, readout, side, update } = card;
  if (readout.kind !== 'rgba-premultiplied') throw new RangeError('the read-out is not RGBA');
  const parameters = parameterInputs(updateShapes(card));
  const latent = g.input('latent', [1, latentSize]);
  const step = ruleSteps(update, parameters, {
    ...(update.standingInput && { genome: readGenome(update, parameters, latent) }),
  });
  const schedule = growthSchedule(card);
  const cell = g.reshapeToMap(g.slice(latent, 0, channels), [1, 1, 1, channels]);
  let states = g.expand(cell, [1, schedule[0].stage, schedule[0].stage, channels]);
  for (const { divide } of schedule) {
    states = step(divide ? g.upsample(states) : states);
  }
  const [red] = readout.channels;
  const image = g.inputMap('image', [1, side, side, 4]);
  const errorOf = (seen: Expression): Expression => {
    const off = g.subtract(g.clip(g.slice(seen, red, red + 4), 0, 1), image);
    return g.multiply(g.sum(g.square(off), [0, 1, 2, 3]), 1 / (4 * side * side));
  };
  let error = errorOf(states);
  if (restSteps > 0) {
    for (let i = 0; i < restSteps; i++) states = step(states);
    error = g.multiply(g.add(error, errorOf(states)), 0.5);
  }
  const [slope] = gradients([{ result: error }], [latent]);
  return { error: g.reshape(error, [1]), slope };
}
