/** Picks what training computes on. */
import type { Compute, ComputeName } from './compute.ts';
import { ComputeError } from './tfjs/errors.ts';

export { ComputeError } from './tfjs/errors.ts';

export interface ComputeOptions {
  /** Of a CPU, 1…; default: all that this process may use. */
  readonly threads?: number;
  /** Hears why 'auto' passed a back end by. */
  readonly passed?: (reason: string) => void;
}

/**
 * Starts a back end in this thread. 'auto' takes a real GPU where one answers, by TensorFlow before WebGPU, else ONNX
 * Runtime on the CPU.
 *
 * @throws ComputeError the named one cannot be used here, and why
 */
export async function createCompute(
  name: ComputeName | 'auto',
  options: ComputeOptions = {},
): Promise<Compute> {
  if (name === 'auto')
    return (await createOnGpu(options.passed)) ?? (await create('onnx', options));
  return create(name, options);
}

/** Loaded only when wanted: each brings a large library along. */
async function create(name: ComputeName, options: ComputeOptions): Promise<Compute> {
  if (name === 'onnx') return (await import('./onnx.ts')).createOnnxCompute(options);
  return (await import('./tfjs/tfjs.ts')).createTfjsCompute(name, options.threads);
}

async function createOnGpu(passed: ComputeOptions['passed']): Promise<Compute | undefined> {
  const { createTfjsCompute } = await import('./tfjs/tfjs.ts');
  for (const name of ['tensorflow', 'webgpu'] as const) {
    try {
      const compute = await createTfjsCompute(name);
      if (compute.gpu) return compute;
      passed?.(`${name}: no real GPU, but ${compute.device}`);
      await compute.dispose();
    } catch (error) {
      if (!(error instanceof ComputeError)) throw error;
      passed?.(error.message);
    }
  }
  return undefined;
}
