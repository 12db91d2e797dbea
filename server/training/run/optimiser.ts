/**
 * Implements Adam (Kingma & Ba 2015, ε outside the root) with clipping by the global norm, as one
 * program.
 */
import type { Float32Tensor } from '../../../shared/safetensors.ts';
import type { Compute, Value, Values } from '../../autodiff/compute.ts';
import type { Expression } from '../../autodiff/graph.ts';
import * as g from '../../autodiff/graph.ts';
import type { Shapes } from '../../autodiff/parameters.ts';
import type { TrainingConfig } from '../config.ts';
import { TrainingError } from '../errors.ts';
import type { RunState } from './run-state.ts';

/** Decay of the first moments, and the term that keeps divisions finite, as published. */
const BETA1 = 0.9;
const EPSILON = 1e-8;

export interface AdamOptions
  extends Pick<TrainingConfig['optimiser'], 'beta2' | 'clip' | 'average'> {
  /**
   * Returns the factor that multiplies the learning rate of a parameter. Without this
   * function, all factors are 1.
   */
  readonly rateOf?: (name: string) => number;
  /** Shapes of the parameters that do not change. */
  readonly kept?: Shapes;
}

/** Names of the tensors per parameter: its value, its moments, and its moving average. */
export const SETS = ['parameter', 'first', 'second', 'average'] as const;

/** The parameters and moments of a run, in the memory of the back end. */
export type Adam = Awaited<ReturnType<typeof createAdam>>;

/**
 * Compiles the programs and uploads the tensors.
 *
 * @param state tensors `parameter:*`, for a resumed run also `first:*`, `second:*`, `average:*`;
 * and `update`, the number of steps these moments have taken
 */
export async function createAdam(
  compute: Compute,
  shapes: Shapes,
  { tensors: stored, update }: Pick<RunState, 'tensors' | 'update'>,
  options: AdamOptions,
) {
  const program = await compute.compile(adam(shapes, options));
  const kept: Record<string, Value> = {};
  for (const [name, shape] of options.kept ?? []) {
    const key = `parameter:${name}`;
    kept[key] = compute.upload(shape, stored.get(key)!.data);
  }
  let values: Record<string, Value> = {};
  let steps = update;
  for (const [name, shape] of shapes) {
    for (const set of SETS) {
      const key = `${set}:${name}`;
      const source =
        stored.get(key) ?? (set === 'average' ? stored.get(`parameter:${name}`) : undefined);
      const data = source?.data.slice() ?? new Float32Array(g.sizeOf(shape));
      values[key] = compute.upload(shape, data);
    }
  }

  return {
    /** Inputs `parameter:*` of programs, valid until the next step. */
    get parameters(): Values {
      return { ...kept, ...values };
    },
    /**
     * Takes a step against a gradient.
     *
     * @param gradient `total:*` of each parameter
     * @returns the norm of the gradient before clipping
     * @throws TrainingError not-finite: nothing has changed
     */
    async step(gradient: Values, learningRate: number): Promise<number> {
      const count = steps + 1;
      const scalar = (value: number): Value => compute.upload([], Float32Array.of(value));
      const scalars = {
        rate: scalar(learningRate),
        // Decay faster in the first steps, so that the average forgets the initial values.
        keep: scalar(Math.min(options.average, (1 + count) / (10 + count))),
        correction1: scalar(1 - BETA1 ** count),
        correction2: scalar(1 - options.beta2 ** count),
      };
      const inputs = { ...values, ...gradient, ...scalars };
      const { norm: normValue, ...next } = await program.run(inputs);
      const norm = (await compute.read(normValue))[0];
      compute.free(normValue, ...Object.values(scalars));
      if (!Number.isFinite(norm)) {
        compute.free(...Object.values(next));
        throw new TrainingError('not-finite', `gradient of update ${count} is not finite`);
      }
      compute.free(...Object.values(values));
      values = next;
      steps = count;
      return norm;
    },
    /** Returns copies of all tensors, by name. */
    async read(): Promise<Map<string, Float32Tensor>> {
      const tensors = new Map<string, Float32Tensor>();
      for (const [name, value] of Object.entries({ ...kept, ...values })) {
        const data = Float32Array.from(await compute.read(value));
        tensors.set(name, { shape: value.shape, data });
      }
      return tensors;
    },
    async dispose(): Promise<void> {
      compute.free(...Object.values(kept), ...Object.values(values));
      await program.dispose();
    },
  };
}

/** Builds the expressions of one step. */
function adam(shapes: Shapes, options: AdamOptions): Record<string, Expression> {
  const { beta2, clip, average, rateOf = () => 1 } = options;
  const outputs: Record<string, Expression> = {};
  let squares: Expression = g.constant(0);
  for (const [name, shape] of shapes) {
    const gradient = g.input(`total:${name}`, shape);
    squares = g.add(squares, g.reshape(g.sum(g.square(gradient)), []));
  }
  const norm = g.sqrt(squares);
  const scale = g.minimum(g.divide(g.constant(clip), g.add(norm, 1e-12)), 1);
  const scalar = (what: string): Expression => g.input(what, []);
  for (const [name, shape] of shapes) {
    const of = (set: string): Expression => g.input(`${set}:${name}`, shape);
    const gradient = g.multiply(of('total'), scale);
    const first = g.add(g.multiply(of('first'), BETA1), g.multiply(gradient, 1 - BETA1));
    const second = g.add(
      g.multiply(of('second'), beta2),
      g.multiply(g.square(gradient), 1 - beta2),
    );
    const direction = g.divide(
      g.divide(first, scalar('correction1')),
      g.add(g.sqrt(g.divide(second, scalar('correction2'))), EPSILON),
    );
    const change = g.multiply(direction, scalar('rate'));
    const multiple = rateOf(name);
    const moved = g.subtract(
      of('parameter'),
      multiple === 1 ? change : g.multiply(change, multiple),
    );
    outputs[`parameter:${name}`] = moved;
    outputs[`first:${name}`] = first;
    outputs[`second:${name}`] = second;
    const keep = scalar('keep');
    outputs[`average:${name}`] =
      average === 0
        ? moved
        : g.add(
            g.multiply(of('average'), keep),
            g.multiply(moved, g.subtract(g.constant(1), keep)),
          );
  }
  outputs.norm = norm;
  return outputs;
}
