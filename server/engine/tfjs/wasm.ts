/** The TensorFlow.js WebAssembly backend: needs only Node; one thread. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { RuleBackend } from '../backend.ts';
import { tfjsBackend, useBackend } from './step-rule.ts';

/** A single matrix product uses a different kernel than several, which rounds differently. */
const BATCH_PATCHES = 2;

/** Starts the backend. */
export async function startWasm(): Promise<RuleBackend> {
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(join(dirname(main), '/'));
  await useBackend('wasm');
  const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
  return tfjsBackend({
    info: { name: 'wasm', device: simd ? 'CPU (WebAssembly SIMD)' : 'CPU (WebAssembly)' },
    batchPatches: BATCH_PATCHES,
  });
}
