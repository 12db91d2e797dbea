/**
 * The native backend, on the CPU. Its kernel, written in C, computes all layers of a step for a few
 * tiles at a time. The kernel is prebuilt for common processors, and compiled on other machines.
 * For training, it also computes gradients (`training.c`).
 */

import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { type Architecture, trunkOf } from '../../vnca/architecture.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { createCondition, layersOfPatch } from '../../vnca/genome.ts';
import { INK, SATURATED } from '../../vnca/readout.ts';
import { type Batch, type RuleBackend, StartError, type StepRule } from '../backend.ts';
import { OF_KERNEL } from '../onnx/winograd.ts';
import { compileKernel, findPrebuilt } from './compile.ts';

/** Rounds a count of numbers up to the next multiple of `lanes`, the vector length. */
const whole = (numbers: number, lanes: number): number => Math.ceil(numbers / lanes) * lanes;

/**
 * Transforms the kernel of perception, [3, 3, C, hidden], to Winograd's 6×6 interpolation points,
 * [36, C, hidden], in double precision. The last dimension is padded to a multiple of `lanes`, the
 * vector length.
 */
function perceptionAtPoints({ card, tensors }: Model, lanes: number): Float32Array {
  const { channels } = card;
  const { hidden } = card.update;
  const kernel = tensors.get('update.perceive.kernel')!.data;
  const width = whole(hidden, lanes);
  const result = new Float32Array(36 * channels * width);
  let at = 0;
  for (const rows of OF_KERNEL) {
    for (const columns of OF_KERNEL) {
      for (let c = 0; c < channels; c++, at += width) {
        for (let h = 0; h < hidden; h++) {
          let sum = 0;
          for (let tap = 0; tap < 9; tap++) {
            const factor = rows[Math.floor(tap / 3)] * columns[tap % 3];
            sum += factor * kernel[(tap * channels + c) * hidden + h];
          }
          result[at + h] = sum;
        }
      }
    }
  }
  return result;
}

/**
 * Concatenates the numbers of a patch's layers as the kernel reads them: scales and shifts of
 * perception, then weights and shifts of each later layer. Rows are padded to multiples of `lanes`,
 * the vector length.
 *
 * @param row the patch's own weights, as `createCondition` computes them; absent if the rule has
 * none
 */
export function layersAsRead(model: Model, lanes: number, row?: Float32Array): Float32Array {
  const { hidden } = model.card.update;
  const { perceptionScale, perceptionBias, layers } = layersOfPatch(model, row);
  const sizes = layers.map(({ kernel }) => whole(kernel.length / hidden, lanes));
  const ofPerception = 2 * whole(hidden, lanes);
  const result = new Float32Array(
    ofPerception + sizes.reduce((sum, size) => sum + (hidden + 1) * size, 0),
  );
  result.set(perceptionScale ?? new Float32Array(hidden).fill(1));
  result.set(perceptionBias, ofPerception / 2);
  let at = ofPerception;
  layers.forEach(({ kernel, bias }, layer) => {
    const outputs = kernel.length / hidden;
    for (let i = 0; i < hidden; i++, at += sizes[layer]) {
      result.set(kernel.subarray(i * outputs, (i + 1) * outputs), at);
    }
    if (bias) result.set(bias, at);
    at += sizes[layer];
  });
  return result;
}

/** The functions that `addon.c` exports. */
export interface Kernel {
  fused(): number;
  skip(numbers: Float32Array): number;
  measure(net: Int32Array, sizes: Int32Array): void;
  step(
    net: Int32Array,
    fixed: Float32Array,
    ...batch: readonly [Float32Array, Float32Array, Float32Array?, Float32Array?, Float32Array?]
  ): void;
  read(
    shown: Float32Array,
    state: Float32Array,
    ...to: readonly [Uint8Array, Uint8Array, Uint8Array, Float32Array]
  ): number;
  rollout(net: Int32Array): number;
  train(...arrays: (Int32Array | Float32Array | undefined)[]): void;
  trim(): void;
}

/** Interval at which free memory is returned to the operating system, in ms. */
const TRIM_EVERY = 10_000;

/** Number of float32 values in a cache line of the CPU. */
const LINE = 16;

/**
 * Loads a kernel: a prebuilt kernel if one fits this machine, otherwise a cached or newly compiled
 * one. A cached kernel that cannot be loaded is deleted and compiled again.
 *
 * @param folders.prebuilt folder of the prebuilt kernels; for the other folders, see
 * `compileKernel`
 * @param isRetry whether a cached kernel has just been deleted
 * @throws StartError if the kernel cannot be compiled or loaded
 */
export async function loadKernel(
  folders: Parameters<typeof compileKernel>[0] & { readonly prebuilt?: string } = {},
  isRetry = false,
): Promise<{ kernel: Kernel; file: string }> {
  const prebuilt = findPrebuilt(folders.prebuilt);
  try {
    if (prebuilt) return { kernel: open(prebuilt), file: prebuilt };
  } catch {
    // Continue without the prebuilt kernel. Its file system may be mounted with the option noexec.
  }
  const { file, isNew } = await compileKernel(folders);
  try {
    return { kernel: open(file), file };
  } catch (error) {
    await rm(file, { force: true }).catch(() => {});
    // Retry only once: if the cached file cannot be deleted, every retry would load the same file.
    if (!isNew && !isRetry) return loadKernel(folders, true);
    const [reason] = (error as Error).message.split('\n');
    const remedy = `mount the file system of ${dirname(file)} without noexec`;
    throw new StartError(`the compiled kernel does not load: ${reason}`, remedy);
  }
}

function open(file: string): Kernel {
  const addOn = { exports: {} as Kernel };
  process.dlopen(addOn, file);
  return addOn.exports;
}

/** Key of the environment data in which new worker threads find the result of `prepareNative`. */
const PREPARED = 'vivarium-native';
/** The path of the kernel's file, or why there is no kernel. */
interface Prepared {
  readonly file?: string;
  readonly failure?: { readonly reason: string; readonly remedy: string | undefined };
}

/**
 * Finds or compiles the kernel for all threads that start later. If this fails, `openKernel` throws
 * the error in those threads.
 *
 * @param folders see `compileKernel`
 */
export async function prepareNative(folders?: Parameters<typeof compileKernel>[0]): Promise<void> {
  const prepared = await loadKernel(folders).then(
    ({ file }): Prepared => ({ file }),
    ({ message, remedy }: StartError): Prepared => ({ failure: { reason: message, remedy } }),
  );
  setEnvironmentData(PREPARED, prepared as never);
}

/**
 * Returns the path of the kernel that `prepareNative` found; undefined if `prepareNative` was not
 * called.
 *
 * @throws StartError if `prepareNative` found no kernel
 */
function preparedFile(): string | undefined {
  const { file, failure } = (getEnvironmentData(PREPARED) ?? {}) as Prepared;
  if (failure) throw new StartError(failure.reason, failure.remedy);
  return file;
}

/**
 * Loads the kernel in `file`. If there is no such file, finds or compiles a kernel.
 *
 * @throws StartError if `prepareNative` found no kernel; other errors as in `loadKernel`
 */
export const openKernel = async (file = preparedFile()): Promise<Kernel> =>
  (file !== undefined && existsSync(file) && open(file)) || (await loadKernel()).kernel;

/** Starts the native backend. @throws Error if no kernel can be loaded */
export async function startNative(file?: string): Promise<RuleBackend> {
  const kernel = await openKernel(file);
  setInterval(() => kernel.trim(), TRIM_EVERY).unref();
  return backendOf(kernel);
}

export const backendOf = (kernel: Kernel): RuleBackend => ({
  info: {
    name: 'native',
    device: `CPU (native code${kernel.fused() ? '' : ', no fused operations'})`,
  },
  gpu: false,
  planar: false,
  // Pass one patch at a time: the kernel steps patches one after the other, so larger batches would
  // save no time.
  maxBatchCells: 1,
  load: async (model) => loadRule(kernel, model),
});

/**
 * Lists the numbers that describe a net, in the order in which `net_of` in addon.c reads them.
 *
 * @param count number of patches
 * @param side side of each patch, in cells
 */
function shapeOf(
  { channels, update }: Pick<Architecture, 'channels' | 'update'>,
  count: number,
  side: number,
): number[] {
  const { activates, blocks } = trunkOf(update);
  const [block = []] = blocks;
  const trunk = [activates, blocks.length, block.length, block.at(-1)?.activated].map(Number);
  return [count, side, channels, update.hidden, Number(update.activation === 'elu'), ...trunk];
}

function loadRule(kernel: Kernel, model: Model): StepRule {
  const { side, update } = model.card;
  const { leak, stateLimit = Infinity } = update;
  const net = Int32Array.from(shapeOf(model.card, 1, side));
  const sizes = new Int32Array(4);
  kernel.measure(net, sizes);
  const [lanes, ofPerception, ofLayers, ofMemory] = sizes;
  const condition = createCondition(model);

  const buffer = new Float32Array(2 * LINE + ofPerception + ofLayers + ofMemory);
  const fixed = buffer.subarray(kernel.skip(buffer));
  fixed.set([1 - leak, stateLimit]);
  fixed.set(perceptionAtPoints(model, lanes), LINE);
  if (!condition) fixed.set(layersAsRead(model, lanes), LINE + ofPerception);
  const read = readerOf(kernel, model);

  return {
    ...(condition && { condition: (latent) => layersAsRead(model, lanes, condition(latent)) }),
    mixes: true,
    step({ count, stage, states, after, conditioning, mask, weights }: Batch) {
      net[0] = count;
      net[1] = stage;
      kernel.step(net, fixed, states, after, conditioning, mask, weights);
    },
    ...(read && { read }),
    dispose() {},
  };
}

/**
 * Creates a function that reads out patches with the kernel. Returns undefined for read-outs of the
 * kind 'dmol', which the kernel does not support.
 */
function readerOf(kernel: Kernel, { card }: Model): StepRule['read'] {
  const { readout, presence, channels } = card;
  if (readout.kind === 'dmol') return undefined;
  const colours = readout.kind === 'bernoulli' ? [readout.channel, -1] : readout.channels;
  const shown = Float32Array.of(channels, presence.channel ?? -1, SATURATED, ...colours);
  return (state, rgba, alive) => kernel.read(shown, state, rgba, alive, INK.bytes, INK.next) === 1;
}

/** Inputs for several steps of N patches with s × s cells. All arrays are row-major. */
interface StepInputs {
  /** Side s of each patch, in cells. */
  readonly side: number;
  /** Number N of patches. */
  readonly count: number;
  readonly steps: number;
  readonly leak: number;
  /** Kernel of perception, [3, 3, C, hidden]. */
  readonly kernel: Float32Array;
  /**
   * The layers, in rows as `layerRows` computes them: [N, size], or [1, size] if all patches share
   * the layers.
   */
  readonly layers: Float32Array;
  /** States before the first step, [N, s, s, C]. */
  readonly states: Float32Array;
  /**
   * Cells that are updated (1) or not (0) in each step, [steps, N, s, s]. If absent, every step
   * updates all cells.
   */
  readonly masks: Float32Array | undefined;
  /**
   * Cells that are set to zero before each step (0) or not (1), [N, s, s]. If absent, no cell is
   * set to zero.
   */
  readonly open: Float32Array | undefined;
  /**
   * A number n for each cell, [N, s, s]: the cell is set to zero after each of the first n steps.
   * If absent, no cell is set to zero.
   */
  readonly closed: Float32Array | undefined;
}

export type NativeSteps = ReturnType<typeof openSteps>;

/** Prepares native code that computes steps of a rule and their gradients. */
export function openSteps(kernel: Kernel, { channels, update }: Architecture) {
  const scales = Number(update.genome?.scalesPerception ?? false);
  const netOf = (side: number, { count = 0, steps = 0 }, sets = 1, keeps = false) => {
    const shape = shapeOf({ channels, update }, count, side);
    return Int32Array.of(...shape, steps, sets, scales, Number(keeps));
  };
  const rowSize = kernel.rollout(netOf(0, {}));
  /**
   * Working memory of finished calls. Reusing it is faster than allocating memory, which the
   * operating system clears first.
   */
  const spare: Float32Array[] = [];

  return {
    rowSize,
    /** Computes the steps. @param keeps whether to keep the data that `reverse` needs */
    take(inputs: StepInputs, keeps: boolean) {
      const { layers, states, masks, open, closed } = inputs;
      const net = netOf(inputs.side, inputs, layers.length / rowSize, keeps);
      const size = kernel.rollout(net) + LINE;
      const found = spare
        .sort((a, b) => a.length - b.length)
        .findIndex(({ length }) => length >= size);
      const [memory] = found < 0 ? [new Float32Array(size)] : spare.splice(found, 1);
      const rates = Float32Array.of(1 - inputs.leak, update.stateLimit ?? Infinity);
      const [after, last] = [states.slice(), states.slice()];
      const given = [
        ...[net, rates, memory.subarray(kernel.skip(memory)), inputs.kernel, layers, states],
        ...[after, last, masks, open, closed],
      ];
      kernel.train(...given);
      if (!keeps) spare.push(memory);
      return {
        /**
         * `after`: states after the last step. `last`: states before the last step. Both are [N, s,
         * s, C].
         */
        after,
        last,
        /**
         * Differentiates the steps. Adds the gradient with respect to the layers to
         * `totals.layers`, and the gradient with respect to the kernel to `totals.kernel`, if
         * present. Must not be called twice.
         *
         * @param change gradients with respect to `after` and `last`; if `last` is absent, its
         * gradient is zero
         * @returns gradient with respect to the states before the first step
         */
        reverse(
          change: { readonly after: Float32Array; readonly last?: Float32Array | undefined },
          totals: { readonly kernel?: Float32Array | undefined; readonly layers: Float32Array },
        ): Float32Array {
          const before = states.slice();
          kernel.train(...given, change.after, change.last, before, totals.kernel, totals.layers);
          spare.push(memory);
          return before;
        },
      };
    },
  };
}
