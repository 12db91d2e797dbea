/** The objective of refining, as native code: growth, its gradient, and that of the genome net. */
import { layersAsRead, type NativeSteps } from '../engine/native/native.ts';
import {
  cellLayers,
  divide,
  genomeLayout,
  growthSchedule,
  seedState,
} from '../vnca/architecture.ts';
import { createCondition } from '../vnca/genome.ts';
import type { Objective, RefinedModel } from './refine-latent.ts';

/** @param restSteps see `compileObjective` */
export function nativeObjective(
  native: NativeSteps,
  model: RefinedModel,
  restSteps = 0,
): Objective {
  const { channels, readout, side, update } = model.card;
  if (readout.kind !== 'rgba-premultiplied') throw new RangeError('the read-out is not RGBA');
  const [red] = readout.channels;
  const kernel = model.tensors.get('update.perceive.kernel')!.data;
  const condition = createCondition(model);
  const stages = growthSchedule(model.card).map(({ stage }) => stage);
  const spans = [...new Set(stages)].map((stage) => {
    return { stage, steps: stages.filter((one) => one === stage).length };
  });
  if (restSteps > 0) spans.push({ stage: side, steps: restSteps });
  /** How much each picture counts per value: the last one grown, and the one at rest. */
  const share = 1 / (4 * side * side * (restSteps > 0 ? 2 : 1));
  const unmasked = { masks: undefined, open: undefined, closed: undefined, weights: undefined };

  return {
    async evaluate(latent, image) {
      const layers = layersAsRead(model, 1, condition?.(latent));
      let states = seedState(latent, stages[0], channels);
      const taken = spans.map(({ stage, steps }) => {
        if (states.length < stage * stage * channels) states = divide(states, channels);
        const of = { side: stage, count: 1, genomes: 1, steps, leak: update.leak, kernel, layers };
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

/** The transpose of `divide`: adds up 2×2 cells, [2s, 2s, C] → [s, s, C]. */
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
 * Backpropagates from the layers of a patch to its latent, through what `createCondition` computes.
 *
 * @param total gradient of the layers, in the order of `layersAsRead`
 * @returns [Z]
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

/** Backpropagates through a kernel [in, out]: [out] → [in]. */
function throughKernel(slope: Float32Array, kernel: Float32Array): Float32Array {
  const inputs = new Float32Array(kernel.length / slope.length);
  kernel.forEach((weight, i) => {
    inputs[Math.floor(i / slope.length)] += weight * slope[i % slope.length];
  });
  return inputs;
}
