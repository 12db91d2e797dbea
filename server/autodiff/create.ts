/** Chooses and starts the back end that training uses. */
import { type Compute, ComputeError, type ComputeName } from './compute.ts';

export interface ComputeOptions {
  /** Number of CPU threads, at least 1. If absent, all threads that this process may use. */
  readonly threads?: number | undefined;
  /** Called with the reason if 'auto' cannot use a GPU. */
  readonly onSkip?: (reason: string) => void;
}

/**
 * Starts a back end in this thread. 'auto' uses a real GPU if there is one, else the CPU. Imports
 * back ends lazily, because each of them loads a large library.
 *
 * @throws ComputeError if a GPU is required but is missing or cannot be used
 */
export async function createCompute(
  name: ComputeName | 'auto',
  { threads, onSkip }: ComputeOptions = {},
): Promise<Compute> {
  if (name === 'webgpu') return startWebgpu();
  const gpu = name === 'auto' && (await createOnGpu(onSkip));
  return gpu || (await import('./onnx.ts')).createOnnxCompute({ threads });
}

const startWebgpu = async () => (await import('./webgpu/webgpu.ts')).createWebgpuCompute();

async function createOnGpu(onSkip: ComputeOptions['onSkip']): Promise<Compute | undefined> {
  try {
    const compute = await startWebgpu();
    if (compute.gpu) return compute;
    onSkip?.(`webgpu: no real GPU, but ${compute.device}`);
    await compute.dispose();
  } catch (error) {
    if (!(error instanceof ComputeError)) throw error;
    onSkip?.(error.message);
  }
  return undefined;
}
