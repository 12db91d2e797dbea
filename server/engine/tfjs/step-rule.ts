/** Steps on the TensorFlow.js backend that is set in this thread. */
import * as tf from '@tensorflow/tfjs-core';
import { genomeLayout, runTrunk, updateShapes } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import type { Batch, RuleBackend, StepRule } from '../backend.ts';

/** Weights of an update net on the backend; dispose them with `disposeRule`. */
export interface Rule {
  readonly update: Card['update'];
  /** By name, as in `updateShapes`. */
  readonly weights: ReadonlyMap<string, tf.Tensor>;
}

/** Further inputs of a step. */
export interface StepInput {
  /** From `readGenome`, for rules with a standing input. */
  readonly genome?: tf.Tensor2D;
  /** [N, H, W, 1], 1 = the cell is updated; absent: all are. */
  readonly mask?: tf.Tensor4D;
}

/** Puts a model's update net on the backend. */
export function createRule({ card, tensors }: Model): Rule {
  const weights = Array.from(updateShapes(card), ([name, shape]) => {
    return [name, tf.tensor(tensors.get(name)!.data, [...shape], 'float32')] as const;
  });
  return { update: card.update, weights: new Map(weights) };
}

/** Frees the weights. */
export function disposeRule(rule: Rule): void {
  for (const weight of rule.weights.values()) weight.dispose();
}

/**
 * Reads latents [N, Z] for rules with a standing input: a shift of the first layer, [N, hidden],
 * or, with a genome net, scales and shifts of each layer (`genomeLayout`).
 */
export function readGenome(rule: Rule, latents: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => {
    const { genome } = rule.update;
    if (!genome) return tf.matMul(latents, kernel(rule, 'genome'));
    const modulation = dense(rule, 'modulation', tf.elu(dense(rule, 'genome', latents)));
    return tf.mul(modulation, genome.gain);
  });
}

/**
 * One step of every cell, s ← clamp(s + mask · (u(s) − leak · s)).
 *
 * @param states [N, H, W, C]; outside a patch they are zero
 * @returns [N, H, W, C]
 */
export function stepStates(rule: Rule, states: tf.Tensor4D, input: StepInput = {}): tf.Tensor4D {
  return tf.tidy(() => {
    const modulate = modulation(rule, input.genome);
    let changes = updateCells(rule, perceive(rule, states, modulate), modulate, input.genome);
    const { leak, stateLimit } = rule.update;
    if (leak > 0) changes = tf.sub(changes, tf.mul(states, leak));
    const moved = tf.add(states, input.mask ? tf.mul(changes, input.mask) : changes);
    if (stateLimit === undefined) return moved as tf.Tensor4D;
    return tf.clipByValue(moved, -stateLimit, stateLimit) as tf.Tensor4D;
  });
}

/** Applies the genome's scales and shifts to a layer, [N, H, W, units]. */
type Modulate = (layer: string, x: tf.Tensor4D) => tf.Tensor4D;

function modulation(rule: Rule, genome?: tf.Tensor2D): Modulate {
  if (!genome) return (_, x) => x;
  const [patches] = genome.shape;
  const part = (from: number, size: number): tf.Tensor4D =>
    tf.reshape(tf.slice(genome, [0, from], [patches, size]), [patches, 1, 1, size]);
  const { hidden, genome: net } = rule.update;
  if (!net) return (layer, x) => (layer === 'perceive' ? tf.add(x, part(0, hidden)) : x);
  return (layer, x) => {
    const channels = x.shape[3];
    const layout = genomeLayout({ channels, update: rule.update });
    if (layer === 'out') return tf.add(x, part(layout.shifts, channels));
    const { scales, shifts } = layout.layers[layer];
    // Scales are relative to 1.
    const scaled = scales === undefined ? x : tf.mul(x, tf.add(part(scales, hidden), 1));
    return tf.add(scaled, part(shifts, hidden));
  };
}

/** Perception: the learned 3×3 convolution, [N, H, W, C] → [N, H, W, hidden]. */
function perceive(rule: Rule, states: tf.Tensor4D, modulate: Modulate): tf.Tensor4D {
  const seen = tf.fused.conv2d({
    x: states,
    filter: kernel(rule, 'perceive'),
    bias: rule.weights.get('update.perceive.bias') as tf.Tensor1D,
    strides: 1,
    pad: 'same',
  });
  return modulate('perceive', seen);
}

/** The change of the states: perception [N, H, W, hidden] → [N, H, W, C]. */
function updateCells(
  rule: Rule,
  perception: tf.Tensor4D,
  modulate: Modulate,
  genome?: tf.Tensor2D,
): tf.Tensor4D {
  const h = runTrunk(rule.update, perception, {
    activate: rule.update.activation === 'relu' ? tf.relu : tf.elu,
    layer: (name, x) => modulate(name, pointwise(rule, name, x)),
    add: (a, b) => tf.add(a, b),
  });
  const changes = modulate('out', pointwise(rule, 'out', h));
  const expressed = rule.update.genome?.expressed ?? 0;
  if (!genome || expressed === 0) return changes;
  const [n, height, width, hidden] = h.shape;
  const channels = changes.shape[3];
  const { weights } = genomeLayout({ channels, update: rule.update });
  const own = tf.matMul(
    tf.reshape(h, [n, height * width, hidden]),
    tf.reshape(tf.slice(genome, [0, weights], [n, hidden * expressed]), [n, hidden, expressed]),
  );
  const padded = tf.pad(tf.reshape(own, [n, height, width, expressed]) as tf.Tensor4D, [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, channels - expressed],
  ]);
  return tf.add(changes, padded);
}

/** A 1×1 convolution is a matrix product over cells: [N, H, W, in] → [N, H, W, out]. */
function pointwise(rule: Rule, layer: string, x: tf.Tensor4D): tf.Tensor4D {
  const [n, height, width, units] = x.shape;
  const cells = dense(rule, layer, tf.reshape(x, [n * height * width, units]));
  return tf.reshape(cells, [n, height, width, cells.shape[1]]);
}

function dense(rule: Rule, layer: string, cells: tf.Tensor2D): tf.Tensor2D {
  const bias = rule.weights.get(`update.${layer}.bias`) as tf.Tensor1D | undefined;
  const product = { a: cells, b: kernel<tf.Tensor2D>(rule, layer) };
  return tf.fused.matMul(bias ? { ...product, bias } : product) as tf.Tensor2D;
}

function kernel<T extends tf.Tensor = tf.Tensor4D>(rule: Rule, layer: string): T {
  return rule.weights.get(`update.${layer}.kernel`) as T;
}

/** 64 patches of 32×32: about 100 MB with a hidden layer of 72. */
const MAX_BATCH_CELLS = 65_536;

/** A backend that steps on the TensorFlow.js backend that is set in this thread. */
export const tfjsBackend = (
  own: Pick<RuleBackend, 'info' | 'gpu' | 'batchPatches'>,
): RuleBackend => ({
  ...own,
  planar: false,
  maxBatchCells: MAX_BATCH_CELLS,
  load: loadTfjsRule,
});

/** Sets this thread's backend, which must be registered. @throws Error it does not start */
export async function useBackend(name: string): Promise<void> {
  // Disables debug checks and a message on the console.
  tf.enableProdMode();
  // tfjs hides the backend's own error and returns false.
  if (!(await tf.setBackend(name))) throw new Error('the backend does not start');
  await tf.ready();
}

/** Loads a model on the backend. */
async function loadTfjsRule(model: Model): Promise<StepRule> {
  const rule = createRule(model);
  const { channels, latentSize } = model.card;
  return {
    ...(model.card.update.standingInput && {
      condition: (latent: Float32Array) =>
        tf.tidy(
          () => readGenome(rule, tf.tensor2d(latent, [1, latentSize])).dataSync() as Float32Array,
        ),
    }),
    step({ count, stage, states, after: target, conditioning, mask }: Batch) {
      const after = tf.tidy(() => {
        const genome =
          conditioning && tf.tensor2d(conditioning, [count, conditioning.length / count]);
        const parts = mask && tf.tensor4d(mask, [count, stage, stage, 1]);
        return stepStates(rule, tf.tensor4d(states, [count, stage, stage, channels]), {
          ...(genome && { genome }),
          ...(parts && { mask: parts }),
        });
      });
      try {
        target.set(after.dataSync() as Float32Array);
      } finally {
        after.dispose();
      }
    },
    dispose: () => disposeRule(rule),
  };
}
