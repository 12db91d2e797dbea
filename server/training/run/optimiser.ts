/**
 * The optimiser Adam (Kingma & Ba 2015), with gradients clipped by their global norm, and the
 * learning rate over a run.
 */
import type { Float32Tensor } from '../../../shared/safetensors.ts';
import type { Compute, Value, Values } from '../../autodiff/compute.ts';
import type { Expression } from '../../autodiff/graph.ts';
import * as g from '../../autodiff/graph.ts';
import type { Shapes } from '../../autodiff/parameters.ts';
import type { TrainingConfig } from '../config.ts';
import { TrainingError } from '../errors.ts';
import type { RunState } from './run-state.ts';

/**
 * Adam's published constants: β₁, the decay of the first moments; ε, which prevents division by 0.
 */
const BETA1 = 0.9;
const EPSILON = 1e-8;

export interface AdamOptions
  extends Pick<TrainingConfig['optimiser'], 'beta2' | 'clip' | 'average'> {
  /** Returns a factor for a parameter's learning rate. By default, all factors are 1. */
  readonly rateOf?: (name: string) => number;
  /** Names and shapes of parameters that are not trained. */
  readonly kept?: Shapes;
}

/**
 * Names of the tensors stored for each parameter: value, first moment, second moment, moving
 * average.
 */
export const SETS = ['parameter', 'first', 'second', 'average'] as const;

export type Adam = Awaited<ReturnType<typeof createAdam>>;

/**
 * Creates an optimiser: compiles its program and uploads its tensors.
 *
 * @param shapes shapes of the parameters to train, by name
 * @param state `tensors`: the parameters `parameter:*` and, in a resumed run, the moments
 *   (`first:*`, `second:*`) and moving averages (`average:*`); `update`: number of steps already
 *   taken
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
    /** Current parameters `parameter:*`, valid until the next step. */
    get parameters(): Values {
      return { ...kept, ...values };
    },
    /**
     * Takes one step of gradient descent.
     *
     * @param gradient gradient `total:*` of each trained parameter
     * @returns norm of the gradient before clipping
     * @throws TrainingError 'not-finite' if the gradient is not finite; the parameters stay
     *   unchanged
     */
    async step(gradient: Values, learningRate: number): Promise<number> {
      const count = steps + 1;
      const scalar = (value: number): Value => compute.upload([], Float32Array.of(value));
      const scalars = {
        rate: scalar(learningRate),
        // In the first steps, give old averages less weight, so that initial weights soon lose
        // influence.
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
        throw new TrainingError('not-finite', `the gradient of update ${count} is not finite`);
      }
      compute.free(...Object.values(values));
      values = next;
      steps = count;
      return norm;
    },
    /** Returns copies of all parameters, moments and averages, by name. */
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
    const square = g.square(gradient);
    const second = g.add(g.multiply(of('second'), beta2), g.multiply(square, 1 - beta2));
    const denominator = g.add(g.sqrt(g.divide(second, scalar('correction2'))), EPSILON);
    const direction = g.divide(g.divide(first, scalar('correction1')), denominator);
    const multiple = rateOf(name);
    const step = g.multiply(direction, scalar('rate'));
    const change = multiple === 1 ? step : g.multiply(step, multiple);
    const moved = g.subtract(of('parameter'), change);
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

/** Learning rate at the end of a run, as a share of the rate before the decay. */
const FINAL_RATE = 0.05;

/**
 * Returns the learning rate of an update, which rises during `warmup`, then stays constant, and
 * falls during `decay`, the last part of the run.
 *
 * @param update number of the update, starting with 1
 * @param updates number of updates in the complete run
 */
export function rateAt(
  optimiser: TrainingConfig['optimiser'],
  update: number,
  updates: number,
): number {
  const { learningRate, warmup, decay } = optimiser;
  const rise = warmup > 0 ? Math.min(1, update / warmup) : 1;
  const left = (updates - update) / (updates * decay);
  const fall = decay > 0 ? Math.min(1, Math.max(0, left) * (1 - FINAL_RATE) + FINAL_RATE) : 1;
  return learningRate * rise * fall;
}
