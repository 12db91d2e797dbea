/** The native TensorFlow backend, through tfjs-node-gpu or tfjs-node if one is installed. */
import { createRequire } from 'node:module';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import type { RuleBackend } from '../backend.ts';
import { TENSORFLOW_PACKAGES } from './native-part.ts';
import { tfjsBackend, useBackend } from './step-rule.ts';

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
