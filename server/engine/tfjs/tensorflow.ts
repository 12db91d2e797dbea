/**
 * The TensorFlow backend: computes the cell rule with TensorFlow.js, which calls TensorFlow's
 * native library.
 */

import { createRequire } from 'node:module';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { genomeLayout, runTrunk, updateShapes } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import type { Batch, RuleBackend, StepRule } from '../backend.ts';
import { TENSORFLOW_PACKAGES } from './native-part.ts';

/** Maximum number of cells in a batch: as many as in 64 patches of 32×32 cells. */
const MAX_BATCH_CELLS = 65_536;

/** Creates a backend of the engine. It computes with this thread's active TensorFlow.js backend. */
export const tfjsBackend = (
  own: Pick<RuleBackend, 'info' | 'gpu' | 'batchPatches'>,
): RuleBackend => ({
  ...own,
  planar: false,
  maxBatchCells: MAX_BATCH_CELLS,
  load: loadTfjsRule,
});

/**
 * Makes a registered TensorFlow.js backend the active backend in this thread.
 *
 * @throws Error if the backend does not start
 */
export async function useBackend(name: string): Promise<void> {
  // Turns off TensorFlow.js's debug checks and its message on the console.
  tf.enableProdMode();
  // If the backend does not start, TensorFlow.js hides the error and returns false.
  if (!(await tf.setBackend(name))) throw new Error('the backend does not start');
  await tf.ready();
}

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

/**
 * Creates the functions of a cell rule's net. This is the reference implementation, whose results
 * all other backends reproduce. The caller disposes of the tensors that the functions create.
 */
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

  /**
   * Applies a 1×1 convolution, [N, H, W, in] → [N, H, W, out], as one matrix product with a row for
   * each cell.
   */
  const pointwise = (layer: string, x: tf.Tensor4D): tf.Tensor4D => {
    const [n, height, width, units] = x.shape;
    const cells = dense(layer, tf.reshape(x, [n * height * width, units]));
    return tf.reshape(cells, [n, height, width, cells.shape[1]]);
  };

  /**
   * Takes `size` numbers of each genome, beginning at `from`. The result, [N, 1, 1, size],
   * broadcasts over cells.
   */
  const part = (genome: tf.Tensor2D, from: number, size: number): tf.Tensor4D =>
    tf.reshape(tf.slice(genome, [0, from], [genome.shape[0], size]), [-1, 1, 1, size]);

  /** Applies the genomes' scales and shifts to a layer's result, [N, H, W, units]. */
  const modulate = (layer: string, x: tf.Tensor4D, genome?: tf.Tensor2D): tf.Tensor4D => {
    if (!genome) return x;
    if (!layout) return layer === 'perceive' ? tf.add(x, part(genome, 0, hidden)) : x;
    if (layer === 'out') return tf.add(x, part(genome, layout.shifts, channels));
    const { scales, shifts } = layout.layers[layer];
    // Scales are stored as differences from 1.
    const scaled = scales === undefined ? x : tf.mul(x, tf.add(part(genome, scales, hidden), 1));
    return tf.add(scaled, part(genome, shifts, hidden));
  };

  /**
   * Adds the results of each genome's own weights to the last layer's result, `changes`. Only the
   * first `net.expressed` channels change.
   *
   * @param cells input of the last layer, [N, H, W, hidden]
   */
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
    const expression = tf.reshape(own, [n, height, width, expressed]) as tf.Tensor4D;
    return tf.add(changes, tf.pad(expression, [none, none, none, [0, channels - expressed]]));
  };

  return {
    /**
     * Computes a genome from each latent, [N, Z]. If the rule has no genome net, a genome holds
     * only shifts of the first layer, [N, hidden]. Otherwise, a genome holds scales, shifts and
     * weights of several layers, in the layout of `genomeLayout`.
     */
    readGenome(latents: tf.Tensor2D): tf.Tensor2D {
      if (!net) return tf.matMul(latents, kernel<tf.Tensor2D>('genome'));
      return tf.mul(dense('modulation', tf.elu(dense('genome', latents))), net.gain);
    },
    /**
     * Computes one step of every cell: s ← clamp(s + mask · (u(s) − leak · s)), where s are the
     * states and u is the net.
     *
     * @param states [N, H, W, C]; states outside a patch are zero
     * @param mask cells to update (1) or not (0), [N, H, W, 1]; if absent, all cells are updated
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
 * Number of patches in every batch. The number is fixed, so that a patch's result does not depend
 * on the number of other patches. On the CPU, the number is 1, because TensorFlow 2.15 computes the
 * last rows of a batch differently.
 */
const BATCH_PATCHES = { gpu: 16, cpu: 1 };

/**
 * Starts the TensorFlow backend.
 *
 * @throws Error if none of `TENSORFLOW_PACKAGES` is installed, or if the native library is missing
 */
export async function startTensorflow(): Promise<RuleBackend> {
  loadTensorflow();
  await useBackend('tensorflow');
  // Ask which device is used. If the GPU cannot be used, the GPU package uses the CPU without an
  // error.
  const gpu = (tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === true;
  return tfjsBackend({
    info: { name: 'tensorflow', device: gpu ? 'GPU (TensorFlow, CUDA)' : 'CPU (TensorFlow)' },
    gpu,
    batchPatches: gpu ? BATCH_PATCHES.gpu : BATCH_PATCHES.cpu,
  });
}

/**
 * Loads a TensorFlow package, which registers the backend 'tensorflow' with the module tfjs-core.
 */
function loadTensorflow(): void {
  polyfillUtil();
  // Make results reproducible: cuDNN must not choose algorithms by measured times.
  process.env.TF_CUDNN_DETERMINISTIC ??= '1';
  process.env.TF_CUDNN_USE_AUTOTUNE ??= '0';
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  const require = createRequire(import.meta.url);
  let first: unknown;
  for (const name of TENSORFLOW_PACKAGES) {
    try {
      return void require(name);
    } catch (error) {
      first ??= error;
    }
  }
  // If the native library is missing, replace the package's error message, which has five lines.
  const isMissing = first instanceof Error && first.message.includes('native addon module');
  throw isMissing ? new Error('its native part is not installed') : first;
}

/** Defines functions of node:util that tfjs-node calls and that Node 23 has removed. */
function polyfillUtil(): void {
  const helpers: Record<string, (value: unknown) => boolean> = {
    isNullOrUndefined: (value) => value === null || value === undefined,
    isArray: Array.isArray,
  };
  const target = util as unknown as Record<string, unknown>;
  for (const [name, helper] of Object.entries(helpers)) target[name] ??= helper;
}
