/**
 * Refines the latent of a picture by gradient descent, so that the latent grows into a more similar
 * picture. Visitors' drawings need refining: the encoder alone keeps little more than the colour
 * and the rough shape of a drawing.
 */

import type { NativeSteps } from '../engine/native/native.ts';
import { layersAsRead } from '../engine/native/native.ts';
import {
  cellLayers,
  divide,
  genomeLayout,
  growthSchedule,
  seedState,
  updateShapes,
} from '../vnca/architecture.ts';
import type { Checkpoint } from '../vnca/checkpoint.ts';
import { bounded, createCondition, type LatentBounds } from '../vnca/genome.ts';
import type { Compute } from './compute.ts';
import { gradients } from './gradients.ts';
import type { Expression } from './graph.ts';
import * as g from './graph.ts';
import { parameterInputs, uploadParameters } from './parameters.ts';
import { readGenome, ruleSteps } from './rule.ts';

export type RefinedModel = Pick<Checkpoint, 'card' | 'tensors'>;

export interface Refinement {
  /** Picture that the latent should grow into, [side, side, channels], 0…1. */
  readonly image: Float32Array;
  /** Initial latent, [Z]. */
  readonly latent: Float32Array;
  /**
   * Time limit for refining, in ms. A gradient step that is running at the limit is still
   * completed.
   */
  readonly budget: number;
  /**
   * Weight, in the loss, of the mean squared distance between the latent and the initial latent.
   * The picture's error has the weight 1. Default 0.
   */
  readonly pull?: number;
}

/**
 * Measures the error that refining reduces: the difference between the wanted picture and the
 * picture that a latent grows into.
 */
export interface Objective {
  /**
   * Grows a latent into a picture, and computes the picture's error.
   *
   * @param latent [Z]
   * @param image wanted picture, [side, side, channels], 0…1
   * @returns `error`: mean squared difference between the grown picture and `image`; `slope`:
   *   gradient of `error` with respect to the latent, [Z]
   */
  evaluate(
    latent: Float32Array,
    image: Float32Array,
  ): Promise<{ readonly error: number; readonly slope: Float32Array }>;
  /** Frees the objective's program and tensors on its back end. */
  dispose?(): Promise<void>;
}

/** Maximum number of gradient steps; further steps change little. */
const MOST_STEPS = 48;
/**
 * Settings of the Adam optimiser: initial step size, ratio of the final to the initial step size,
 * and decay rates of the first and second moments.
 */
const RATE = 0.15;
const LAST_RATE = 0.2;
const DECAY = 0.9;
const SQUARE_DECAY = 0.99;

/**
 * Returns whether a checkpoint's latents can be refined: a picture must be a differentiable
 * function of cell states, and updates must not be random.
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
  /**
   * Called before each gradient step. If it returns true, refining ends with the best latent so
   * far.
   */
  readonly isStopped?: () => boolean;
  /** Bounds for the refined latent. A room scales down a latent that is outside these bounds. */
  readonly bounds?: LatentBounds;
}

/**
 * Creates a function that refines one latent per call and resolves to the best latent found, [Z].
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
 * @param restSteps number of steps to compute after growth, at least 0. If positive, the error is
 *   the mean of the errors before and after these steps
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

/**
 * Builds tensor expressions for the error of a latent and for the gradient of the error. The
 * expressions' inputs are `latent` [1, Z], `image` [1, side, side, 4], and `parameter:NAME` for
 * each of the rule's parameters.
 */
function errorAndSlope(
  { card }: RefinedModel,
  restSteps: number,
): { error: Expression; slope: Expression } {
  const { channels, latentSize, readout, side, update } = card;
  if (readout.kind !== 'rgba-premultiplied')
    throw new RangeError('only a checkpoint with RGBA colours can fit seeds to a picture');
  const parameters = parameterInputs(updateShapes(card));
  const latent = g.input('latent', [1, latentSize]);
  const step = ruleSteps(update, parameters, {
    ...(update.standingInput && { genome: readGenome(update, parameters, latent) }),
  });
  const schedule = growthSchedule(card);
  const cell = g.reshapeToMap(g.slice(latent, 0, channels), [1, 1, 1, channels]);
  let states = g.expand(cell, [1, schedule[0].stage, schedule[0].stage, channels]);
  for (const { divide: divides } of schedule) {
    states = step(divides ? g.upsample(states) : states);
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

/**
 * Creates an objective for which native code grows a latent and backpropagates through the growth.
 * TypeScript backpropagates through the genome net.
 *
 * @param restSteps see `compileObjective`
 */
export function nativeObjective(
  native: NativeSteps,
  model: RefinedModel,
  restSteps = 0,
): Objective {
  const { channels, readout, side, update } = model.card;
  if (readout.kind !== 'rgba-premultiplied')
    throw new RangeError('only a checkpoint with RGBA colours can fit seeds to a picture');
  const [red] = readout.channels;
  const kernel = model.tensors.get('update.perceive.kernel')!.data;
  const condition = createCondition(model);
  const stages = growthSchedule(model.card).map(({ stage }) => stage);
  const spans = [...new Set(stages)].map((stage) => {
    return { stage, steps: stages.filter((one) => one === stage).length };
  });
  if (restSteps > 0) spans.push({ stage: side, steps: restSteps });
  /**
   * Weight of each squared difference between a cell's colour and the image. The sum of all
   * weights is 1. The cells are compared with the image after growth and, if there are rest steps,
   * once more after the rest steps.
   */
  const share = 1 / (4 * side * side * (restSteps > 0 ? 2 : 1));
  const unmasked = { masks: undefined, open: undefined, closed: undefined };

  return {
    async evaluate(latent, image) {
      const layers = layersAsRead(model, 1, condition?.(latent));
      let states = seedState(latent, stages[0], channels);
      const taken = spans.map(({ stage, steps }) => {
        if (states.length < stage * stage * channels) states = divide(states, channels);
        const of = { side: stage, count: 1, steps, leak: update.leak, kernel, layers };
        const span = native.take({ ...of, states, ...unmasked }, true);
        states = span.after;
        return { ...span, stage };
      });
      let error = 0;
      let slope: Float32Array = new Float32Array(states.length);
      const total = new Float32Array(layers.length);
      for (const { after, reverse, stage } of taken.reverse()) {
        if (slope.length > after.length) slope = gather(slope, stage, channels);
        for (let i = 0; stage === side && i < image.length; i++) {
          const at = Math.floor(i / 4) * channels + red + (i % 4);
          const seen = Math.max(0, Math.min(1, after[at]));
          error += share * (seen - image[i]) ** 2;
          if (seen === after[at]) slope[at] += 2 * share * (seen - image[i]);
        }
        slope = reverse({ after: slope }, { layers: total });
      }
      const change = slopeThroughGenome(model, latent, total);
      slope.forEach((value, i) => {
        change[i % channels] += value;
      });
      return { error, slope: change };
    },
  };
}

/**
 * Backpropagates through `divide`: sums the gradients of each 2×2 block of cells. `slope` is [2s,
 * 2s, C], and the result is [s, s, C].
 */
function gather(slope: Float32Array, stage: number, channels: number): Float32Array {
  const sums = new Float32Array(stage * stage * channels);
  slope.forEach((value, i) => {
    const cell = Math.floor(i / channels);
    const [x, y] = [cell % (2 * stage), Math.floor(cell / (2 * stage))];
    sums[((y >> 1) * stage + (x >> 1)) * channels + (i % channels)] += value;
  });
  return sums;
}

/**
 * Backpropagates from the rule's layers to the latent, through the function that `createCondition`
 * creates.
 *
 * @param total gradient with respect to the patch's layers, in the order of `layersAsRead`
 * @returns gradient with respect to the latent, [Z]
 */
function slopeThroughGenome(
  { card, tensors }: RefinedModel,
  latent: Float32Array,
  total: Float32Array,
): Float32Array {
  const { channels, update } = card;
  const { genome, hidden } = update;
  const data = (name: string) => tensors.get(`update.${name}`)?.data;
  const shifts = total.subarray(hidden, 2 * hidden);
  if (!update.standingInput) return new Float32Array(latent.length);
  if (!genome) return throughKernel(shifts, data('genome.kernel')!);
  const layout = genomeLayout(card);
  const slope = new Float32Array(layout.size);
  let at = 0;
  for (const name of cellLayers(update)) {
    const outputs = name === 'out' ? channels : hidden;
    const size = name === 'perceive' ? hidden : hidden * outputs;
    const weights = total.subarray(at, at + size);
    const biases = total.subarray(at + size, at + size + outputs);
    at += size + outputs;
    if (name === 'out') {
      slope.set(biases, layout.shifts);
      for (let i = 0; i < hidden * genome.expressed; i++) {
        const [input, c] = [Math.floor(i / genome.expressed), i % genome.expressed];
        slope[layout.weights + i] = weights[input * channels + c];
      }
    }
    const own = layout.layers[name];
    if (!own) continue;
    slope.set(biases, own.shifts);
    const { scales } = own;
    if (scales === undefined) continue;
    const kernel = name === 'perceive' ? undefined : data(`${name}.kernel`)!;
    const bias = data(`${name}.bias`)!;
    for (let o = 0; o < hidden; o++) slope[scales + o] = biases[o] * bias[o];
    weights.forEach((value, i) => {
      slope[scales + (i % hidden)] += value * (kernel?.[i] ?? 1);
    });
  }
  const inner = throughKernel(slope, data('modulation.kernel')!);
  const [kernel, bias] = [data('genome.kernel')!, data('genome.bias')!];
  bias.forEach((sum, h) => {
    for (let z = 0; z < latent.length; z++) sum += latent[z] * kernel[z * bias.length + h];
    inner[h] *= genome.gain * Math.exp(Math.min(0, sum));
  });
  return throughKernel(inner, kernel);
}

/**
 * Backpropagates through a dense layer: computes the gradient with respect to its inputs, [in].
 *
 * @param slope gradient with respect to the layer's outputs, [out]
 * @param kernel [in, out]
 */
function throughKernel(slope: Float32Array, kernel: Float32Array): Float32Array {
  const inputs = new Float32Array(kernel.length / slope.length);
  kernel.forEach((weight, i) => {
    inputs[Math.floor(i / slope.length)] += weight * slope[i % slope.length];
  });
  return inputs;
}
