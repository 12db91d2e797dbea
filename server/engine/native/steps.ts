/** Steps of a rule for training, with their gradients, as native code (`training.c`). */
import { type Architecture, trunkOf } from '../../vnca/architecture.ts';
import type { Kernel } from './native.ts';

/** Some steps of N patches, with s × s cells and G genomes each. All arrays are row-major. */
interface StepInputs {
  /** s */
  readonly side: number;
  /** N */
  readonly count: number;
  /** G */
  readonly genomes: number;
  readonly steps: number;
  readonly leak: number;
  /** Perception's kernel, [3, 3, C, hidden]. */
  readonly kernel: Float32Array;
  /** The result of `layerRows`: [N · G, size], or [1, size] for all patches. */
  readonly layers: Float32Array;
  /** [N, s, s, C] */
  readonly states: Float32Array;
  /** Cells that are updated in each step, [steps, N, s, s]. If absent, all cells. */
  readonly masks: Float32Array | undefined;
  /** Open ground, [N, s, s]. */
  readonly open: Float32Array | undefined;
  /** Number of steps until each cell opens, [N, s, s]. */
  readonly closed: Float32Array | undefined;
  /** How much each genome counts for each cell, [N, s, s, G]. */
  readonly weights: Float32Array | undefined;
}

/** Steps of a rule as native code. */
export type NativeSteps = ReturnType<typeof openSteps>;

/** Number of float32 values in a line of the CPU's cache. */
const LINE = 16;

/** Prepares the steps of a rule. */
export function openSteps(kernel: Kernel, { channels, update }: Architecture) {
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
    /** Number of values in a row of layers. */
    rowSize,
    /** Takes steps. @param keeps whether `reverse` will be called */
    take(inputs: StepInputs, keeps: boolean) {
      const { layers, states, masks, open, closed, weights } = inputs;
      const net = netOf(inputs.side, inputs, layers.length / rowSize, keeps);
      const size = kernel.rollout(net) + LINE;
      const found = spare
        .sort((a, b) => a.length - b.length)
        .findIndex(({ length }) => length >= size);
      const [memory] = found < 0 ? [new Float32Array(size)] : spare.splice(found, 1);
      const rates = Float32Array.of(1 - inputs.leak, update.stateLimit ?? Infinity);
      const [after, last] = [states.slice(), states.slice()];
      const given = [
        ...[net, rates, memory.subarray(kernel.skip(memory)), inputs.kernel, layers, states],
        ...[after, last, masks, open, closed, weights],
      ];
      kernel.train(...given);
      if (!keeps) spare.push(memory);
      return {
        /** States after the last step and before it, [N, s, s, C]. */
        after,
        last,
        /**
         * Computes the gradient of the first states, and adds those of the kernel, if wanted, and
         * of the layers to totals. Call it at most once.
         *
         * @param change gradient of `after` and, unless it is zero, of `last`
         */
        reverse(
          change: { readonly after: Float32Array; readonly last?: Float32Array | undefined },
          totals: { readonly kernel?: Float32Array | undefined; readonly layers: Float32Array },
        ): Float32Array {
          const before = states.slice();
          kernel.train(...given, change.after, change.last, before, totals.kernel, totals.layers);
          spare.push(memory);
          return before;
        },
      };
    },
  };
}
