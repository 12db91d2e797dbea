/** Chooses and starts the back end that training uses. */
import { type Compute, ComputeError, type ComputeName } from './compute.ts';

export interface ComputeOptions {
  /** Number of CPU threads, at least 1. If absent, all threads that this process may use. */
  readonly threads?: number | undefined;
  /** Called with the reason if 'auto' cannot use a back end. */
  readonly onSkip?: (reason: string) => void;
}

/**
 * Starts a back end in this thread. 'auto' uses a real GPU if there is one, else the CPU, by native
 * code if it compiles. Imports back ends lazily, because each of them loads a large library.
 *
 * @throws ComputeError if the back end is missing or cannot be used
 */
export async function createCompute(
  name: ComputeName | 'auto',
  { threads, onSkip }: ComputeOptions = {},
): Promise<Compute> {
  if (name === 'webgpu') return startWebgpu();
  if (name === 'native') return startNative(threads);
  const found =
    name === 'auto' &&
    ((await createOnGpu(onSkip)) ??
      (await startNative(threads).catch((error: unknown) => skip(error, onSkip))));
  return found || (await import('./onnx.ts')).createOnnxCompute({ threads });
}

const startWebgpu = async () => (await import('./webgpu/webgpu.ts')).createWebgpuCompute();
const startNative = async (threads?: number) =>
  (await import('./native.ts')).createNativeCompute({ threads });

function skip(error: unknown, onSkip: ComputeOptions['onSkip']): undefined {
  if (!(error instanceof ComputeError)) throw error;
  onSkip?.(error.message);
}

async function createOnGpu(onSkip: ComputeOptions['onSkip']): Promise<Compute | undefined> {
  try {
    const compute = await startWebgpu();
    if (compute.gpu) return compute;
    onSkip?.(`webgpu: no real GPU, but ${compute.device}`);
    await compute.dispose();
  } catch (error) {
    skip(error, onSkip);
  }
  return undefined;
}
