/** Adam (Kingma & Ba 2015, ε outside the root) with clipping by the global norm, as one program. */
import type { Compute, Program, Value, Values } from './autodiff/compute.ts';
import type { Expression } from './autodiff/graph.ts';
import * as g from './autodiff/graph.ts';
import { TrainingError } from './errors.ts';
import type { Shapes, Tensor } from './model/parameters.ts';
import type { RunState } from './run-state.ts';

/** Options of Adam. */
export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Gradients are clipped to this global norm. */
  readonly clip: number;
  /** Decay of the moving average of the weights; 0: none. */
  readonly average: number;
}

/** Each parameter, its moments, and its moving average. */
export const SETS = ['parameter', 'first', 'second', 'average'] as const;

/** The parameters and moments of a run, in the memory of the back end. */
export class Adam {
  private constructor(
    private readonly on: {
      readonly compute: Compute;
      readonly options: AdamOptions;
      readonly names: readonly string[];
      readonly program: Program;
      readonly adding: Program;
    },
    private values: Record<string, Value>,
    private steps: number,
  ) {}

  /**
   * Compiles the program and uploads the tensors.
   *
   * @param state tensors `parameter:*`, for a resumed run also `first:*`, `second:*`, `average:*`;
   *   and the number of steps behind these moments
   */
  static async create(
    compute: Compute,
    shapes: Shapes,
    { tensors: stored, update }: Pick<RunState, 'tensors' | 'update'>,
    options: AdamOptions,
  ): Promise<Adam> {
    const program = await compute.compile(adam(shapes, options));
    const adding = await compute.compile(
      Object.fromEntries(
        [...shapes].map(([name, shape]) => [
          `total:${name}`,
          g.add(g.input(`total:${name}`, shape), g.input(`+total:${name}`, shape)),
        ]),
      ),
    );
    const values: Record<string, Value> = {};
    for (const [name, shape] of shapes) {
      for (const set of SETS) {
        const key = `${set}:${name}`;
        const source =
          stored.get(key) ?? (set === 'average' ? stored.get(`parameter:${name}`) : undefined);
        if (!source && set === 'parameter') throw new RangeError(`there is no value of ${key}`);
        const data = source?.data.slice() ?? new Float32Array(g.sizeOf(shape));
        values[key] = compute.upload(shape, data);
      }
    }
    const names = [...shapes.keys()];
    return new Adam({ compute, options, names, program, adding }, values, update);
  }

  /** Inputs `parameter:*` of programs; valid until the next step. */
  get parameters(): Values {
    return this.values;
  }

  /** Inputs `parameter:*` with the values of the moving average; valid until the next step. */
  get averages(): Values {
    return Object.fromEntries(
      this.on.names.map((name) => [`parameter:${name}`, this.values[`average:${name}`]]),
    );
  }

  /**
   * Takes a step against a gradient.
   *
   * @param parts `total:*` of each parameter, from each micro-batch
   * @returns the norm of the gradient before clipping
   * @throws TrainingError not-finite: nothing has changed
   */
  async step(parts: readonly Values[], learningRate: number): Promise<number> {
    const { compute, options, program } = this.on;
    const totals = await this.sum(parts);
    const steps = this.steps + 1;
    const scalar = (value: number): Value => compute.upload([], Float32Array.of(value));
    const scalars = {
      rate: scalar(learningRate),
      // A smaller decay in the first steps, so that the average forgets the initial values.
      keep: scalar(Math.min(options.average, (1 + steps) / (10 + steps))),
      correction1: scalar(1 - options.beta1 ** steps),
      correction2: scalar(1 - options.beta2 ** steps),
    };
    const { norm: normValue, ...next } = await program.run({
      ...this.values,
      ...totals,
      ...scalars,
    });
    const norm = (await compute.read(normValue))[0];
    compute.free(normValue, ...Object.values(scalars));
    if (parts.length > 1) compute.free(...Object.values(totals));
    if (!Number.isFinite(norm)) {
      compute.free(...Object.values(next));
      throw new TrainingError('not-finite', `gradient of update ${steps} is not finite`);
    }
    compute.free(...Object.values(this.values));
    this.values = next;
    this.steps = steps;
    return norm;
  }

  /** Adds parts in order, so that equal runs round equally. */
  private async sum(parts: readonly Values[]): Promise<Values> {
    let sum = parts[0];
    for (const next of parts.slice(1)) {
      const others = Object.entries(next).map(([name, value]) => [`+${name}`, value]);
      const added = await this.on.adding.run({ ...sum, ...Object.fromEntries(others) });
      if (sum !== parts[0]) this.on.compute.free(...Object.values(sum));
      sum = added;
    }
    return sum;
  }

  /** Copies of all tensors, by name. */
  async read(): Promise<Map<string, Tensor>> {
    const tensors = new Map<string, Tensor>();
    for (const [name, value] of Object.entries(this.values)) {
      const data = Float32Array.from(await this.on.compute.read(value));
      tensors.set(name, { shape: value.shape, data });
    }
    return tensors;
  }

  /** Frees the tensors and programs. */
  async dispose(): Promise<void> {
    const { compute, program, adding } = this.on;
    compute.free(...Object.values(this.values));
    await program.dispose();
    await adding.dispose();
  }
}

function adam(shapes: Shapes, options: AdamOptions): Record<string, Expression> {
  const { beta1, beta2, epsilon, clip, average } = options;
  const outputs: Record<string, Expression> = {};
  let squares: Expression = g.constant(0);
  for (const [name, shape] of shapes) {
    const gradient = g.input(`total:${name}`, shape);
    squares = g.add(squares, g.reshape(g.sum(g.square(gradient)), []));
  }
  const norm = g.sqrt(squares);
  const scale = g.minimum(g.divide(g.constant(clip), g.add(norm, 1e-12)), 1);
  for (const [name, shape] of shapes) {
    const of = (set: string): Expression => g.input(`${set}:${name}`, shape);
    const gradient = g.multiply(of('total'), scale);
    const first = g.add(g.multiply(of('first'), beta1), g.multiply(gradient, 1 - beta1));
    const second = g.add(
      g.multiply(of('second'), beta2),
      g.multiply(g.square(gradient), 1 - beta2),
    );
    const direction = g.divide(
      g.divide(first, g.input('correction1', [])),
      g.add(g.sqrt(g.divide(second, g.input('correction2', []))), epsilon),
    );
    const moved = g.subtract(of('parameter'), g.multiply(direction, g.input('rate', [])));
    outputs[`parameter:${name}`] = moved;
    outputs[`first:${name}`] = first;
    outputs[`second:${name}`] = second;
    const keep = g.input('keep', []);
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
