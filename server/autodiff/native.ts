/**
 * The back end of CPUs with a C compiler. Native code computes the steps of a rule and their
 * gradients (engine/native/training.c); ONNX Runtime computes everything else.
 */
import type { StartError } from '../engine/backend.ts';
import { compilerRemedy, missingCompiler } from '../engine/native/compile.ts';
import { loadKernel } from '../engine/native/native.ts';
import { type Architecture, trunkOf } from '../vnca/architecture.ts';
import {
  type Compute,
  ComputeError,
  type NativeSteps,
  type StepInputs,
  type StepsTaken,
} from './compute.ts';
import { createOnnxCompute } from './onnx.ts';

type Kernel = Awaited<ReturnType<typeof loadKernel>>['kernel'];

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
  const missing = missingCompiler();
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

/** Number of float32 values in a line of the CPU's cache. */
const LINE = 16;

function openSteps(kernel: Kernel, { channels, update }: Architecture): NativeSteps {
  const { activates, blocks } = trunkOf(update);
  const [block = []] = blocks;
  const trunk = [activates, blocks.length, block.length, block.at(-1)?.activated].map(Number);
  const scales = Number(update.genome?.scalesPerception ?? false);
  const netOf = (side: number, { count = 0, steps = 0, genomes = 1 }, sets = 1, keeps = false) => {
    const shape = [count, side, channels, update.hidden, Number(update.activation === 'elu')];
    return Int32Array.of(...shape, ...trunk, steps, genomes, sets, scales, Number(keeps));
  };
  const rowSize = kernel.rollout(netOf(0, {}));
  /** Working memory of finished calls. It is used again, because the system clears new memory. */
  const spare: Float32Array[] = [];

  return {
    rowSize,
    take(inputs: StepInputs, keeps: boolean): StepsTaken {
      const { layers, states, masks, open, closed, weights } = inputs;
      const net = netOf(inputs.side, inputs, layers.length / rowSize, keeps);
      const size = kernel.rollout(net);
      const found = spare.findIndex(({ length }) => length >= size + LINE);
      const [memory] = found < 0 ? [new Float32Array(size + LINE)] : spare.splice(found, 1);
      const rates = Float32Array.of(1 - inputs.leak, update.stateLimit ?? Infinity);
      const [after, last] = [new Float32Array(states.length), new Float32Array(states.length)];
      const given = [
        ...[net, rates, memory.subarray(kernel.skip(memory)), inputs.kernel, layers, states],
        ...[after, masks, open, closed, weights, last],
      ];
      kernel.train(...given);
      if (!keeps) spare.push(memory);
      return {
        after,
        last,
        reverse(change, totals) {
          const before = new Float32Array(states.length);
          kernel.train(...given, change.after, change.last, before, totals.kernel, totals.layers);
          spare.push(memory);
          return before;
        },
      };
    },
  };
}
