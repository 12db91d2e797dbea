/** Chooses and starts the back end that training uses. */
import type { StartError } from '../engine/backend.ts';
import { compilerRemedy, missingKernel } from '../engine/native/compile.ts';
import { loadKernel, openSteps } from '../engine/native/native.ts';
import { type Compute, ComputeError, type ComputeName } from './compute.ts';

export interface ComputeOptions {
  /** Number of CPU threads to use, at least 1. Default: all threads that this process may use. */
  readonly threads?: number | undefined;
  /** Called each time 'auto' skips a back end, with the reason. */
  readonly onSkip?: (reason: string) => void;
}

/**
 * Starts a back end in this thread. 'auto' tries a hardware GPU first, then native code on the CPU,
 * then ONNX Runtime.
 *
 * @throws ComputeError if the requested back end is missing or cannot be used
 */
export async function createCompute(
  name: ComputeName | 'auto',
  { threads, onSkip = () => {} }: ComputeOptions = {},
): Promise<Compute> {
  const skip = (error: unknown): undefined => {
    if (!(error instanceof ComputeError)) throw error;
    onSkip(error.message);
  };
  if (name === 'webgpu') return startWebgpu();
  if (name === 'native') return startNative(threads);
  if (name === 'auto') {
    const gpu = await startWebgpu().catch(skip);
    if (gpu?.gpu) return gpu;
    if (gpu) onSkip(`webgpu: found no GPU, only a ${gpu.device}`);
    await gpu?.dispose();
    const native = await startNative(threads).catch(skip);
    if (native) return native;
  }
  return startOnnx(threads);
}

const startWebgpu = async () => (await import('./webgpu.ts')).createWebgpuCompute();
const startOnnx = async (threads: number | undefined) =>
  (await import('./onnx.ts')).createOnnxCompute({ threads });

/**
 * Starts the native back end, which runs each program on one CPU thread. Native code
 * (engine/native/training.c) computes the steps of a cell rule and their gradients; ONNX Runtime
 * computes everything else.
 *
 * @throws ComputeError if the native code can neither be loaded nor compiled
 */
async function startNative(threads: number | undefined): Promise<Compute> {
  const fail = (problem: string, remedy = compilerRemedy()): never => {
    throw new ComputeError(remedy ? `${problem} (remedy: ${remedy})` : problem, 'native');
  };
  const missing = missingKernel();
  if (missing) fail(missing);
  const { kernel } = await loadKernel().catch((error: StartError) =>
    fail(error.message, error.remedy),
  );
  const compute = await startOnnx(threads);
  return {
    ...compute,
    name: 'native',
    device: compute.device.replace('ONNX Runtime', 'native code'),
    openSteps: (architecture) => openSteps(kernel, architecture),
  };
}
