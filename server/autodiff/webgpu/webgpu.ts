/** Runs expressions on a GPU with TensorFlow.js, operation by operation. */
import * as tf from '@tensorflow/tfjs-core';
import { type Compute, inputOf, type Program, type Value, type Values } from '../compute.ts';
import { type Expression, inOrder, type Outputs, type Shape } from '../graph.ts';
import { type Device, startDevice } from './device.ts';
import { KERNELS, type Kernel } from './kernels.ts';

class TfjsValue implements Value {
  readonly shape: Shape;

  constructor(readonly tensor: tf.Tensor) {
    this.shape = tensor.shape;
  }
}

/** A back end, and whether it runs on a real GPU. */
type TfjsCompute = Compute & Pick<Device, 'gpu'>;

/**
 * Starts the back end on a GPU, or on a driver that emulates one. A thread can have one at a time.
 *
 * @throws ComputeError there is no GPU, or it cannot be used
 */
export const createWebgpuCompute = async (): Promise<TfjsCompute> =>
  tfjsCompute(await startDevice());

/** Computes on the TensorFlow.js backend that is set in this thread. */
export function tfjsCompute({ device, gpu, check, destroy }: Device): TfjsCompute {
  return {
    name: 'webgpu',
    device,
    workers: 1,
    gpu,
    compile: async (outputs) => compile(outputs),
    upload: (shape, data) => new TfjsValue(tf.tensor(data, [...shape])),
    async read(value) {
      const data = (await tensorOf(value).data()) as Float32Array;
      check();
      return data;
    },
    free(...values) {
      for (const value of values) tensorOf(value).dispose();
    },
    dispose: async () => destroy(),
  };
}

const tensorOf = (value: Value): tf.Tensor => (value as TfjsValue).tensor;

function compile(outputs: Outputs): Program {
  const order = inOrder(Object.values(outputs));
  const places = new Map(order.map((at, place) => [at, place]));
  const results = Object.entries(outputs).map(([name, at]) => ({ name, place: places.get(at)! }));
  const steps = plan(order, places, new Set(results.map(({ place }) => place)));
  /** Shared by all runs. */
  const constants = new Map<Expression, tf.Tensor>();
  for (const at of order) {
    if (at.operation.kind === 'constant') constants.set(at, tf.scalar(at.operation.value));
  }
  return {
    async run(values: Values) {
      const tensors: (tf.Tensor | undefined)[] = new Array(order.length);
      const named = tf.tidy(() => {
        steps.forEach(({ at, operands, spent }, place) => {
          tensors[place] =
            constants.get(at) ??
            (at.operation.kind === 'input'
              ? inputOf<TfjsValue>(values, at.operation.name, at.shape).tensor
              : compute(
                  at,
                  operands.map((operand) => tensors[operand]!),
                ));
          for (const operand of spent) {
            tensors[operand]!.dispose();
            tensors[operand] = undefined;
          }
        });
        // Clones share memory. Needed because a result can be an input, or have two names.
        return Object.fromEntries(
          results.map(({ name, place }) => [name, tf.clone(tensors[place]!)]),
        );
      });
      return Object.fromEntries(
        Object.entries(named).map(([name, tensor]) => [name, new TfjsValue(tensor)]),
      );
    },
    async dispose() {
      for (const tensor of constants.values()) tensor.dispose();
      constants.clear();
    },
  };
}

/** Finds the last use of each result, so that it is freed as early as possible. */
function plan(
  order: readonly Expression[],
  places: ReadonlyMap<Expression, number>,
  kept: ReadonlySet<number>,
) {
  const lastUse = new Map<number, number>();
  order.forEach((at, place) => {
    for (const child of at.inputs) lastUse.set(places.get(child)!, place);
  });
  const borrowed = (place: number): boolean =>
    kept.has(place) || ['input', 'constant'].includes(order[place].operation.kind);
  return order.map((at, place) => {
    const operands = at.inputs.map((child) => places.get(child)!);
    const spent = new Set(
      operands.filter((operand) => lastUse.get(operand) === place && !borrowed(operand)),
    );
    return {
      at,
      /** Indices of the steps that compute the operands. */
      operands,
      /** Indices of the steps whose results are not needed after this one. */
      spent: [...spent],
    };
  });
}

function compute(at: Expression, operands: readonly tf.Tensor[]): tf.Tensor {
  const kernel = KERNELS[at.operation.kind as keyof typeof KERNELS] as Kernel;
  return tf.tidy(() => kernel(at, operands, at.operation));
}
