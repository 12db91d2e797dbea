/** TensorFlow.js in plain JavaScript: the reference for its rule and its kernels, without a GPU. */
import '@tensorflow/tfjs-backend-cpu';
import type { Compute } from '../../server/autodiff/compute.ts';
import { tfjsCompute } from '../../server/autodiff/webgpu.ts';
import type { RuleBackend } from '../../server/engine/backend.ts';
import { tfjsBackend, useBackend } from '../../server/engine/tfjs/tensorflow.ts';

const device = 'CPU (JavaScript)';

/** The rule as the engine `tensorflow` steps it. */
export async function startTfjsCpu(): Promise<RuleBackend> {
  await useBackend('cpu');
  return tfjsBackend({ info: { name: 'tensorflow', device }, gpu: false, batchPatches: 2 });
}

/** Expressions as the back end `webgpu` computes them. */
export async function createTfjsCpuCompute(): Promise<Compute> {
  await useBackend('cpu');
  return tfjsCompute({ device, gpu: false, check() {}, destroy() {} });
}
