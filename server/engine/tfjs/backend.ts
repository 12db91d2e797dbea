/** Which TensorFlow.js backend steps the cells, and on what device it really runs. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { EngineError, type EngineInfo } from '../engine.ts';

export type BackendName = 'tensorflow' | 'wasm' | 'cpu';

export interface Backend {
  readonly info: EngineInfo;
  /**
   * Patches in every batch, short ones padded with zeros; absent: any number. Set where the library chooses its
   * algorithm by the size of the batch, which would let a patch's result depend on its company.
   */
  readonly batchPatches?: number;
}

const FALLBACKS: readonly BackendName[] = ['tensorflow', 'wasm', 'cpu'];
const TENSORFLOW_BATCH_PATCHES = 16;

/**
 * Sets this thread's TensorFlow.js backend. 'auto' takes the first of tensorflow, wasm, cpu that works.
 *
 * @throws EngineError unavailable
 */
export async function selectBackend(wanted: BackendName | 'auto'): Promise<Backend> {
  // Leaves out checks that only a program under construction needs, and an advertisement on the console.
  tf.enableProdMode();
  const reasons: string[] = [];
  for (const name of wanted === 'auto' ? FALLBACKS : [wanted]) {
    try {
      return await STARTERS[name]();
    } catch (error) {
      reasons.push(`${name}: ${firstLine(error)}`);
    }
  }
  throw new EngineError('unavailable', reasons.join('; '));
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().split('\n')[0];
}

async function use(name: BackendName): Promise<void> {
  // tfjs swallows a backend's own error and answers false.
  if (!(await tf.setBackend(name))) throw new Error('the backend does not start');
  await tf.ready();
}

const STARTERS: Readonly<Record<BackendName, () => Promise<Backend>>> = {
  async tensorflow() {
    loadTensorflow();
    await use('tensorflow');
    const { isUsingGpuDevice } = tf.backend() as { isUsingGpuDevice?: boolean };
    return {
      // The GPU package falls back to the CPU without a word; the backend knows which device is registered.
      info: {
        name: 'tensorflow',
        device: isUsingGpuDevice === true ? 'GPU (TensorFlow, CUDA)' : 'CPU (TensorFlow)',
      },
      batchPatches: TENSORFLOW_BATCH_PATCHES,
    };
  },
  async wasm() {
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
    setWasmPaths(join(dirname(main), '/'));
    await use('wasm');
    const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
    return {
      info: { name: 'wasm', device: simd ? 'CPU (WebAssembly SIMD)' : 'CPU (WebAssembly)' },
    };
  },
  async cpu() {
    await import('@tensorflow/tfjs-backend-cpu');
    await use('cpu');
    return { info: { name: 'cpu', device: 'CPU (JavaScript)' } };
  },
};

/** Either package registers the backend 'tensorflow' with the tfjs-core that is loaded already. */
function loadTensorflow(): void {
  giveBackUtil();
  // Chosen algorithms must not depend on which was fastest on the day.
  process.env.TF_CUDNN_DETERMINISTIC ??= '1';
  process.env.TF_CUDNN_USE_AUTOTUNE ??= '0';
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  const require = createRequire(import.meta.url);
  let first: unknown;
  for (const name of ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']) {
    try {
      require(name);
      return;
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
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
