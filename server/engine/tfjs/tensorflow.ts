/** TensorFlow's own library, through tfjs-node-gpu or tfjs-node where one is installed. */
import { createRequire } from 'node:module';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import type { RuleBackend } from '../backend.ts';
import { TENSORFLOW_PACKAGES } from './native-part.ts';
import { loadTfjsRule, MAX_BATCH_CELLS, useBackend } from './step-rule.ts';

/**
 * On the CPU every patch steps alone: the last rows of a batch are summed in another order than the rest (measured with
 * TensorFlow 2.15: up to 46 cells, and the last two latents).
 */
const BATCH_PATCHES = { gpu: 16, cpu: 1 };

/** @throws Error neither package is installed, or its native part is missing */
export async function startTensorflow(): Promise<RuleBackend> {
  loadTensorflow();
  await useBackend('tensorflow');
  // The GPU package falls back to the CPU without a word; the backend knows which device is registered.
  const gpu = (tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === true;
  return {
    info: { name: 'tensorflow', device: gpu ? 'GPU (TensorFlow, CUDA)' : 'CPU (TensorFlow)' },
    planar: false,
    gpu,
    maxBatchCells: MAX_BATCH_CELLS,
    batchPatches: gpu ? BATCH_PATCHES.gpu : BATCH_PATCHES.cpu,
    load: loadTfjsRule,
  };
}

/** Either package registers the backend 'tensorflow' with the tfjs-core that is loaded already. */
function loadTensorflow(): void {
  giveBackUtil();
  // Chosen algorithms must not depend on which was fastest on the day.
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
  // Its own message takes five lines, the first of which is a path.
  const absent = first instanceof Error && first.message.includes('native addon module');
  throw absent ? new Error('its native part is not installed') : first;
}

/** tfjs-node calls helpers of node:util that Node 23 removed. */
function giveBackUtil(): void {
  const helpers: Record<string, (value: unknown) => boolean> = {
    isNullOrUndefined: (value) => value === null || value === undefined,
    isArray: Array.isArray,
    isString: (value) => typeof value === 'string',
    isNumber: (value) => typeof value === 'number',
    isBoolean: (value) => typeof value === 'boolean',
    isObject: (value) => typeof value === 'object' && value !== null,
  };
  const target = util as unknown as Record<string, unknown>;
  for (const [name, helper] of Object.entries(helpers)) target[name] ??= helper;
}
