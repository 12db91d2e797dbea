/** Chooses and starts the back end of training. */
import type { Compute, ComputeName } from './compute.ts';
import { ComputeError } from './tfjs/errors.ts';

export { ComputeError } from './tfjs/errors.ts';

/** Options of `createCompute`. */
export interface ComputeOptions {
  /** CPU threads, 1…; default: all that this process may use. */
  readonly threads?: number | undefined;
  /** Called with the reason for each back end that 'auto' cannot use. */
  readonly onSkip?: (reason: string) => void;
}

/**
 * Starts a back end in this thread. 'auto' uses a real GPU if there is one, with TensorFlow before
 * WebGPU, else ONNX Runtime on the CPU.
 *
 * @throws ComputeError the back end cannot be used here
 */
export async function createCompute(
  name: ComputeName | 'auto',
  options: ComputeOptions = {},
): Promise<Compute> {
  if (name !== 'auto') return create(name, options);
  return (await createOnGpu(options.onSkip)) ?? (await create('onnx', options));
}

/** Imports lazily, because each back end loads a large library. */
async function create(name: ComputeName, options: ComputeOptions): Promise<Compute> {
  if (name === 'onnx') return (await import('./onnx.ts')).createOnnxCompute(options);
  return (await import('./tfjs/tfjs.ts')).createTfjsCompute(name, options.threads);
}

async function createOnGpu(onSkip: ComputeOptions['onSkip']): Promise<Compute | undefined> {
  const { createTfjsCompute } = await import('./tfjs/tfjs.ts');
  for (const name of ['tensorflow', 'webgpu'] as const) {
    try {
      const compute = await createTfjsCompute(name);
      if (compute.gpu) return compute;
      onSkip?.(`${name}: no real GPU, but ${compute.device}`);
      await compute.dispose();
    } catch (error) {
      if (!(error instanceof ComputeError)) throw error;
      onSkip?.(error.message);
    }
  }
  return undefined;
}
