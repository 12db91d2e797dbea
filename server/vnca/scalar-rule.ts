/**
 * The cell rule in plain JavaScript, for web pages, which have no tensor library. The genomes of a
 * patch cannot change here, so weights that depend on a genome are computed only once.
 */
import { createRandom, type Random } from '../../shared/random.ts';
import { runTrunk, type TrunkOperations } from './architecture.ts';
import type { Model } from './checkpoint.ts';
import { type Genomes, genomeWeights, mixSteps } from './chimera.ts';
import { type CellLayer, createCondition, layersOfPatch } from './genome.ts';

/**
 * Decides at random, independently for each cell, whether the cell is updated.
 *
 * @param mask receives the decisions, [cells]: 1 if the cell is updated, else 0
 * @param probability probability of an update, 0…1
 */
export function drawUpdateMask(mask: Float32Array, probability: number, random: Random): void {
  for (let i = 0; i < mask.length; i++) mask[i] = random.uniform() < probability ? 1 : 0;
}

/**
 * Creates a random generator for one step of a patch, seeded with a hash of the patch's state. The
 * step then depends only on the state, so a restored room replays bit for bit.
 */
export function randomOfState(state: Float32Array): Random {
  const words = new Uint32Array(state.buffer, state.byteOffset, state.length);
  let h = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) {
    h = Math.imul(h ^ words[i], 0x01000193);
    h ^= h >>> 15;
  }
  return createRandom(h);
}

/**
 * Computes one step of every cell of a patch.
 *
 * @param states [s, s, C]; all states outside the patch count as zero
 * @returns the states after the step, [s, s, C]
 */
export type StepPatch = (states: Float32Array) => Float32Array;

/** Computes a layer for one cell: [in] → [out]. The next call overwrites the result. */
type Layer = (x: Float64Array) => Float64Array;

/** Creates the function that steps a patch whose cells read the given genomes. */
export function createScalarRule(model: Model, { latents, labels }: Genomes): StepPatch {
  const { channels, update } = model.card;
  const { updateProbability } = update;
  const rules = latents.map((latent) => createRule(model, latent));
  const count = rules.length;
  let weights: Float32Array = new Float32Array();
  return (states) => {
    const cells = states.length / channels;
    const mask = new Float32Array(cells).fill(1);
    if (updateProbability < 1) drawUpdateMask(mask, updateProbability, randomOfState(states));
    if (!labels) return rules[0](states, mask);
    // Compute the weights again only if the patch has grown.
    if (weights.length !== count * cells) weights = genomeWeights(labels, count, Math.sqrt(cells));
    const steps = rules.map((rule, i) => {
      return rule(states, mask, weights.subarray(i * cells, (i + 1) * cells));
    });
    const after = new Float32Array(states.length);
    mixSteps(steps, weights, { cells: channels, channels: 1 }, after);
    return after;
  };
}

/**
 * Creates a function that computes one step of a patch with a single genome. If the created
 * function is called with `weights`, the function skips cells whose weight is 0.
 *
 * @param latent latent of the genome, [Z]
 */
function createRule(model: Model, latent: Float32Array) {
  const { channels, update } = model.card;
  const { hidden, leak, stateLimit = Infinity } = update;
  const genome = createCondition(model)?.(latent);
  const { perceptionScale, perceptionBias, layers } = layersOfPatch(model, genome);
  const kernel = model.tensors.get('update.perceive.kernel')!.data;
  const perceive = perception({ channels, hidden, kernel }, perceptionScale, perceptionBias);
  const steps = new Map(layers.map((layer) => [layer.name, denseLayer(layer, hidden)]));
  const operations = operationsOf(update, steps);
  const change = steps.get('out')!;
  const seen = new Float64Array(hidden);
  return (states: Float32Array, mask: Float32Array, weights?: Float32Array): Float32Array => {
    const side = Math.sqrt(mask.length);
    const next = new Float32Array(states.length);
    for (let cell = 0, at = 0; cell < mask.length; cell++, at += channels) {
      if (weights?.[cell] === 0) continue;
      let changes: Float64Array | undefined;
      if (mask[cell] === 1) {
        perceive(states, side, cell, seen);
        changes = change(runTrunk(update, seen, operations));
      }
      for (let c = 0; c < channels; c++) {
        const state = states[at + c];
        const moved = changes ? state + changes[c] - leak * state : state;
        next[at + c] = Math.max(-stateLimit, Math.min(stateLimit, moved));
      }
    }
    return next;
  };
}

/**
 * Creates the function that computes the first layer (perception) for one cell: a 3×3 convolution
 * around the cell, whose result is multiplied by the scale; the shift is then added.
 */
function perception(
  net: { readonly channels: number; readonly hidden: number; readonly kernel: Float32Array },
  scale: Float32Array | undefined,
  bias: Float32Array,
) {
  const { channels, hidden, kernel } = net;
  return (states: Float32Array, side: number, cell: number, seen: Float64Array): void => {
    const [x, y] = [cell % side, Math.floor(cell / side)];
    seen.fill(0);
    for (let tap = 0; tap < 9; tap++) {
      const [i, j] = [x + (tap % 3) - 1, y + Math.floor(tap / 3) - 1];
      if (i < 0 || j < 0 || i >= side || j >= side) continue;
      const from = (j * side + i) * channels;
      for (let c = 0; c < channels; c++) {
        const state = states[from + c];
        const weights = (tap * channels + c) * hidden;
        for (let o = 0; o < hidden; o++) seen[o] += state * kernel[weights + o];
      }
    }
    for (let o = 0; o < hidden; o++) seen[o] = seen[o] * (scale?.[o] ?? 1) + bias[o];
  };
}

/**
 * Creates the operations that `runTrunk` needs to compute one cell. `activate` and `add` overwrite
 * their first argument with the result.
 */
const operationsOf = (
  { activation }: Model['card']['update'],
  layers: ReadonlyMap<string, Layer>,
): TrunkOperations<Float64Array> => ({
  activate(x) {
    for (let i = 0; i < x.length; i++) {
      if (x[i] < 0) x[i] = activation === 'relu' ? 0 : Math.expm1(x[i]);
    }
    return x;
  },
  layer: (name, x) => layers.get(name)!(x),
  add(x, y) {
    for (let i = 0; i < x.length; i++) x[i] += y[i];
    return x;
  },
});

function denseLayer({ kernel, bias }: CellLayer, inputs: number): Layer {
  const y = new Float64Array(kernel.length / inputs);
  return (x) => {
    for (let o = 0; o < y.length; o++) y[o] = bias?.[o] ?? 0;
    for (let i = 0; i < x.length; i++) {
      const value = x[i];
      // Skip zeros, because about half of the values after a ReLU are zero.
      if (value === 0) continue;
      const from = i * y.length;
      for (let o = 0; o < y.length; o++) y[o] += value * kernel[from + o];
    }
    return y;
  };
}
