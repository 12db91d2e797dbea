/**
 * The TensorFlow backend: the cell rule on the tensors of TensorFlow.js, which runs natively through
 * tfjs-node-gpu or tfjs-node if one is installed.
 */

import { createRequire } from 'node:module';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { genomeLayout, runTrunk, updateShapes } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import type { Batch, RuleBackend, StepRule } from '../backend.ts';
import { TENSORFLOW_PACKAGES } from './native-part.ts';

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
async function loadTfjsRule({ card, tensors }: Model): Promise<StepRule> {
  const { channels, latentSize, update } = card;
  const weights = new Map<string, tf.Tensor>();
  for (const [name, shape] of updateShapes(card)) {
    weights.set(name, tf.tensor(tensors.get(name)!.data, [...shape], 'float32'));
  }
  const { readGenome, stepStates } = netOf(card, weights);
  return {
    ...(update.standingInput && {
      condition: (latent: Float32Array) =>
        tf.tidy(() => readGenome(tf.tensor2d(latent, [1, latentSize])).dataSync() as Float32Array),
    }),
    step({ count, stage, states, after: target, conditioning, mask }: Batch) {
      const after = tf.tidy(() =>
        stepStates(
          tf.tensor4d(states, [count, stage, stage, channels]),
          conditioning && tf.tensor2d(conditioning, [count, conditioning.length / count]),
          mask && tf.tensor4d(mask, [count, stage, stage, 1]),
        ),
      );
      try {
        target.set(after.dataSync() as Float32Array);
      } finally {
        after.dispose();
      }
    },
    dispose() {
      for (const weight of weights.values()) weight.dispose();
    },
  };
}

/** The cell rule on tensors, which the caller tidies; all other back ends compute the same. */
function netOf({ channels, update }: Card, weights: ReadonlyMap<string, tf.Tensor>) {
  const { hidden, genome: net } = update;
  const layout = net && genomeLayout({ channels, update });
  const kernel = <T extends tf.Tensor = tf.Tensor4D>(layer: string): T =>
    weights.get(`update.${layer}.kernel`) as T;
  const biasOf = (layer: string) => weights.get(`update.${layer}.bias`) as tf.Tensor1D | undefined;

  const dense = (layer: string, cells: tf.Tensor2D): tf.Tensor2D => {
    const bias = biasOf(layer);
    const product = { a: cells, b: kernel<tf.Tensor2D>(layer) };
    return tf.fused.matMul(bias ? { ...product, bias } : product) as tf.Tensor2D;
  };

  /** A 1×1 convolution is a matrix product over cells: [N, H, W, in] → [N, H, W, out]. */
  const pointwise = (layer: string, x: tf.Tensor4D): tf.Tensor4D => {
    const [n, height, width, units] = x.shape;
    const cells = dense(layer, tf.reshape(x, [n * height * width, units]));
    return tf.reshape(cells, [n, height, width, cells.shape[1]]);
  };

  /** `size` numbers of each genome [N, …], to be broadcast over cells: [N, 1, 1, size]. */
  const part = (genome: tf.Tensor2D, from: number, size: number): tf.Tensor4D =>
    tf.reshape(tf.slice(genome, [0, from], [genome.shape[0], size]), [-1, 1, 1, size]);

  /** Applies the genome's scales and shifts to a layer, [N, H, W, units]. */
  const modulate = (layer: string, x: tf.Tensor4D, genome?: tf.Tensor2D): tf.Tensor4D => {
    if (!genome) return x;
    if (!layout) return layer === 'perceive' ? tf.add(x, part(genome, 0, hidden)) : x;
    if (layer === 'out') return tf.add(x, part(genome, layout.shifts, channels));
    const { scales, shifts } = layout.layers[layer];
    // Scales are relative to 1.
    const scaled = scales === undefined ? x : tf.mul(x, tf.add(part(genome, scales, hidden), 1));
    return tf.add(scaled, part(genome, shifts, hidden));
  };

  /** Adds the patches' own weights of the last layer to its result. @param cells [N, H, W, hidden] */
  const addExpressed = (
    changes: tf.Tensor4D,
    cells: tf.Tensor4D,
    genome?: tf.Tensor2D,
  ): tf.Tensor4D => {
    const expressed = net?.expressed ?? 0;
    if (!genome || expressed === 0) return changes;
    const [n, height, width] = cells.shape;
    const own = tf.matMul(
      tf.reshape(cells, [n, height * width, hidden]),
      tf.reshape(tf.slice(genome, [0, layout!.weights], [n, hidden * expressed]), [
        n,
        hidden,
        expressed,
      ]),
    );
    const none: [number, number] = [0, 0];
    const padded = tf.pad(tf.reshape(own, [n, height, width, expressed]) as tf.Tensor4D, [
      ...[none, none, none],
      [0, channels - expressed],
    ]);
    return tf.add(changes, padded);
  };

  return {
    /**
     * Reads latents [N, Z] for rules with a standing input: a shift of the first layer, [N, hidden],
     * or, with a genome net, scales and shifts of each layer (`genomeLayout`).
     */
    readGenome(latents: tf.Tensor2D): tf.Tensor2D {
      if (!net) return tf.matMul(latents, kernel<tf.Tensor2D>('genome'));
      return tf.mul(dense('modulation', tf.elu(dense('genome', latents))), net.gain);
    },
    /**
     * One step of every cell, s ← clamp(s + mask · (u(s) − leak · s)). ELU has α = 1.
     *
     * @param states [N, H, W, C]; outside a patch they are zero
     * @param mask [N, H, W, 1], 1 = the cell is updated; absent: all are
     * @returns [N, H, W, C]
     */
    stepStates(states: tf.Tensor4D, genome?: tf.Tensor2D, mask?: tf.Tensor4D): tf.Tensor4D {
      const seen = tf.fused.conv2d({
        x: states,
        filter: kernel('perceive'),
        bias: biasOf('perceive')!,
        strides: 1,
        pad: 'same',
      });
      const cells = runTrunk<tf.Tensor4D>(update, modulate('perceive', seen, genome), {
        activate: update.activation === 'relu' ? tf.relu : tf.elu,
        layer: (name, x) => modulate(name, pointwise(name, x), genome),
        add: (a, b) => tf.add(a, b),
      });
      let changes = modulate('out', pointwise('out', cells), genome);
      changes = addExpressed(changes, cells, genome);
      const { leak, stateLimit } = update;
      if (leak > 0) changes = tf.sub(changes, tf.mul(states, leak));
      const moved: tf.Tensor4D = tf.add(states, mask ? tf.mul(changes, mask) : changes);
      return stateLimit === undefined ? moved : tf.clipByValue(moved, -stateLimit, stateLimit);
    },
  };
}

/**
 * On the CPU every patch steps alone: the last rows of a batch are summed in a different order
 * (measured with TensorFlow 2.15: up to 46 cells, and the last two latents).
 */
const BATCH_PATCHES = { gpu: 16, cpu: 1 };

/** Starts the backend. @throws Error neither package is installed, or its native part is missing */
export async function startTensorflow(): Promise<RuleBackend> {
  loadTensorflow();
  await useBackend('tensorflow');
  // The GPU package falls back to the CPU silently; the backend knows which device is in use.
  const gpu = (tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === true;
  return tfjsBackend({
    info: { name: 'tensorflow', device: gpu ? 'GPU (TensorFlow, CUDA)' : 'CPU (TensorFlow)' },
    gpu,
    batchPatches: gpu ? BATCH_PATCHES.gpu : BATCH_PATCHES.cpu,
  });
}

/** Loads a package, which registers the backend 'tensorflow' with the loaded tfjs-core. */
function loadTensorflow(): void {
  polyfillUtil();
  // The choice of algorithms must not depend on timings.
  process.env.TF_CUDNN_DETERMINISTIC ??= '1';
  process.env.TF_CUDNN_USE_AUTOTUNE ??= '0';
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  const require = createRequire(import.meta.url);
  let first: unknown;
  for (const name of TENSORFLOW_PACKAGES) {
    try {
      require(name);
      return;
    } catch (error) {
      first ??= error;
    }
  }
  // The original message has five lines, the first of which is a path.
  const isMissing = first instanceof Error && first.message.includes('native addon module');
  throw isMissing ? new Error('its native part is not installed') : first;
}

/** Restores helpers of node:util that tfjs-node calls and Node 23 removed. */
function polyfillUtil(): void {
  const helpers: Record<string, (value: unknown) => boolean> = {
    isNullOrUndefined: (value) => value === null || value === undefined,
    isArray: Array.isArray,
  };
  const target = util as unknown as Record<string, unknown>;
  for (const [name, helper] of Object.entries(helpers)) target[name] ??= helper;
}
