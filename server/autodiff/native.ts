/**
 * The back end of CPUs with a C compiler. Native code computes the steps of a rule and their
 * gradients (engine/native/training.c); ONNX Runtime computes everything else.
 */
import type { StartError } from '../engine/backend.ts';
import { compilerRemedy, missingKernel } from '../engine/native/compile.ts';
import { loadKernel, openSteps } from '../engine/native/native.ts';
import { type Compute, ComputeError } from './compute.ts';
import { createOnnxCompute } from './onnx.ts';

/**
 * Creates the back end. Each program uses one thread, as those of ONNX Runtime do.
 *
 * @throws ComputeError if there is no compiler, or the code does not compile or load
 */
export async function createNativeCompute(
  options: { threads?: number | undefined } = {},
): Promise<Compute> {
  const fail = (what: string, remedy = compilerRemedy()): never => {
    throw new ComputeError(remedy ? `${what} (to fix it: ${remedy})` : what, 'native');
  };
  const missing = missingKernel();
  if (missing) fail(missing);
  const { kernel } = await loadKernel().catch((error: StartError) =>
    fail(error.message, error.remedy),
  );
  const compute = createOnnxCompute(options);
  return {
    ...compute,
    name: 'native',
    device: compute.device.replace('ONNX Runtime', 'native code'),
    openSteps: (architecture) => openSteps(kernel, architecture),
  };
}
