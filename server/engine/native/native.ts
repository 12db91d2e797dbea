/**
 * The native backend, on the CPU. Its kernel, written in C, computes all layers of a step tile by
 * tile. It is prebuilt for this machine, or compiled on it. There is one engine thread per core,
 * each with some of the patches. The kernel also takes steps for training, with their gradients
 * (`training.c`).
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

/** Rounds up to a multiple of the number of lanes in a vector. */
const whole = (numbers: number, lanes: number): number => Math.ceil(numbers / lanes) * lanes;

/**
 * Transforms perception's kernel [3, 3, C, hidden] to Winograd's 6×6 points, [36, C, hidden], in
 * double precision. Pads the last dimension to whole vectors.
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
 * Concatenates perception's scales and shifts, and the weights and shifts of the layers after it,
 * padded to whole vectors as the kernel reads them.
 *
 * @param row a patch's own weights, as `createCondition` computes them; absent if the net has
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
  /** For training; see addon.c. */
  rollout(net: Int32Array): number;
  train(...arrays: (Int32Array | Float32Array | undefined)[]): void;
  trim(): void;
}

/** Interval at which free memory is returned to the system, in ms. */
const TRIM_EVERY = 10_000;

/** Number of float32 values in a line of the CPU's cache. */
const LINE = 16;

/**
 * Loads the prebuilt kernel for this machine. If none loads, loads a kernel that was compiled on
 * this machine, and compiles it first if it is not cached. A cached kernel that does not load is
 * deleted and compiled once more.
 *
 * @param folders.prebuilt where prebuilt kernels are; for the others, see `compileKernel`
 * @param isRetry whether a cached kernel was just deleted
 * @returns the kernel and its file
 * @throws Error if it does not compile here; StartError if it does not load
 */
export async function loadKernel(
  folders: Parameters<typeof compileKernel>[0] & { readonly prebuilt?: string } = {},
  isRetry = false,
): Promise<{ kernel: Kernel; file: string }> {
  const prebuilt = findPrebuilt(folders.prebuilt);
  try {
    if (prebuilt) return { kernel: open(prebuilt), file: prebuilt };
  } catch {
    // Its folder may be mounted with noexec.
  }
  const { file, isNew } = await compileKernel(folders);
  try {
    return { kernel: open(file), file };
  } catch (error) {
    await rm(file, { force: true }).catch(() => {});
    // Retries only once, because a file that cannot be deleted would be found in the cache again.
    if (!isNew && !isRetry) return loadKernel(folders, true);
    const [reason] = (error as Error).message.split('\n');
    throw new StartError(
      `the compiled kernel does not load: ${reason}`,
      `mount the file system of ${dirname(file)} without noexec`,
    );
  }
}

function open(file: string): Kernel {
  const addOn = { exports: {} as Kernel };
  process.dlopen(addOn, file);
  return addOn.exports;
}

/** Key under which `Prepared` is stored in the environment data of threads. */
const PREPARED = 'vivarium-native';
/** The kernel's file, or why there is none. */
interface Prepared {
  readonly file?: string;
  readonly failure?: { readonly reason: string; readonly remedy: string | undefined };
}

/**
 * Prepares the kernel once for all threads that start later. If that fails, each of them fails with
 * the same error.
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
 * Returns the kernel's file if another thread has prepared it.
 *
 * @throws StartError if the preparation failed
 */
function preparedFile(): string | undefined {
  const { file, failure } = (getEnvironmentData(PREPARED) ?? {}) as Prepared;
  if (failure) throw new StartError(failure.reason, failure.remedy);
  return file;
}

/**
 * Loads the kernel that another thread has prepared; if none has, does what `loadKernel` does.
 *
 * @throws Error, StartError as `loadKernel` does
 */
export const openKernel = async (file = preparedFile()): Promise<Kernel> =>
  (file !== undefined && existsSync(file) && open(file)) || (await loadKernel()).kernel;

/**
 * Starts the backend.
 *
 * @throws Error, StartError as `loadKernel` does
 */
export async function startNative(file?: string): Promise<RuleBackend> {
  const kernel = await openKernel(file);
  setInterval(() => kernel.trim(), TRIM_EVERY).unref();
  return backendOf(kernel);
}

/** The backend that steps by this kernel. */
export const backendOf = (kernel: Kernel): RuleBackend => ({
  info: {
    name: 'native',
    device: `CPU (native code${kernel.fused() ? '' : ', no fused operations'})`,
  },
  gpu: false,
  planar: false,
  // Steps one patch at a time, as the kernel does so in any case.
  maxBatchCells: 1,
  load: async (model) => loadRule(kernel, model),
});

/** Lists what `net_of` in addon.c reads. @param side of each patch, in cells */
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
 * Creates a read-out that the kernel computes. Returns undefined for kinds of read-outs that need
 * exponentials for each cell, which the kernel does not support.
 */
function readerOf(kernel: Kernel, { card }: Model): StepRule['read'] {
  const { readout, presence, channels } = card;
  if (readout.kind === 'dmol') return undefined;
  const colours = readout.kind === 'bernoulli' ? [readout.channel, -1] : readout.channels;
  const shown = Float32Array.of(channels, presence.channel ?? -1, SATURATED, ...colours);
  return (state, rgba, alive) => kernel.read(shown, state, rgba, alive, INK.bytes, INK.next) === 1;
}

/** Some steps of N patches, with s × s cells each. All arrays are row-major. */
interface StepInputs {
  /** s */
  readonly side: number;
  /** N */
  readonly count: number;
  readonly steps: number;
  readonly leak: number;
  /** Perception's kernel, [3, 3, C, hidden]. */
  readonly kernel: Float32Array;
  /** The result of `layerRows`: [N, size], or [1, size] for all patches. */
  readonly layers: Float32Array;
  /** [N, s, s, C] */
  readonly states: Float32Array;
  /** Cells that are updated in each step, [steps, N, s, s]. If absent, all cells. */
  readonly masks: Float32Array | undefined;
  /** Open ground, [N, s, s]. */
  readonly open: Float32Array | undefined;
  /** Number of steps until each cell opens, [N, s, s]. */
  readonly closed: Float32Array | undefined;
}

/** Steps of a rule as native code. */
export type NativeSteps = ReturnType<typeof openSteps>;

/** Prepares the steps of a rule. */
export function openSteps(kernel: Kernel, { channels, update }: Architecture) {
  const scales = Number(update.genome?.scalesPerception ?? false);
  const netOf = (side: number, { count = 0, steps = 0 }, sets = 1, keeps = false) => {
    const shape = shapeOf({ channels, update }, count, side);
    return Int32Array.of(...shape, steps, sets, scales, Number(keeps));
  };
  const rowSize = kernel.rollout(netOf(0, {}));
  /** Working memory of finished calls. It is used again, because the system clears new memory. */
  const spare: Float32Array[] = [];

  return {
    /** Number of values in a row of layers. */
    rowSize,
    /** Takes steps. @param keeps whether `reverse` will be called */
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
        /** States after the last step and before it, [N, s, s, C]. */
        after,
        last,
        /**
         * Computes the gradient of the first states, and adds those of the kernel, if wanted, and
         * of the layers to totals. Call it at most once.
         *
         * @param change gradient of `after` and, unless it is zero, of `last`
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
