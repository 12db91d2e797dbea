/**
 * Runs expressions on TensorFlow.js, operation by operation. tfjs has one active backend per
 * thread, so each `Compute` activates its own before it works; several can be open at a time.
 */
import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { startCpu } from '../../engine/tfjs/cpu.ts';
import { startTensorflow } from '../../engine/tfjs/tensorflow.ts';
import { startWasm } from '../../engine/tfjs/wasm.ts';
import {
  type Compute,
  type ComputeName,
  inputOf,
  type Program,
  type Value,
  type Values,
} from '../compute.ts';
import { type Expression, inOrder, type Outputs, type Shape } from '../graph.ts';
import { ComputeError } from './errors.ts';
import { KERNELS, type Kernel } from './kernels.ts';
import { type Started, startWebgpu } from './webgpu.ts';

/** Back ends of TensorFlow.js. */
export type TfjsName = Exclude<ComputeName, 'onnx'>;

/** A back end of TensorFlow.js. */
export interface TfjsCompute extends Compute {
  /** Whether it runs on a real GPU. */
  readonly gpu: boolean;
}

class TfjsValue implements Value {
  readonly shape: Shape;

  constructor(readonly tensor: tf.Tensor) {
    this.shape = tensor.shape;
  }
}

const STARTERS: Readonly<Record<TfjsName, () => Promise<Started>>> = {
  webgpu: startWebgpu,
  tensorflow: () =>
    startAs(startTensorflow, (why) => {
      const how = 'npm run install:tensorflow fetches it, build:tensorflow builds it';
      const what = `its library does not load; ${how} (${why})`;
      return new ComputeError('tensorflow', 'not-installed', what);
    }),
  wasm: () => startAs(startWasm, (why) => new ComputeError('wasm', 'does-not-start', why)),
  cpu: () => startAs(startCpu, (why) => new ComputeError('cpu', 'does-not-start', why)),
};

/** Starts an engine's backend. @param errorOf the error for the first line of a message */
async function startAs(
  start: typeof startCpu,
  errorOf: (why: string) => ComputeError,
): Promise<Started> {
  const { info, gpu } = await start().catch((error: Error) => {
    const [first] = error.message.trim().split('\n');
    throw errorOf(first.replace(/[\s.]+$/, ''));
  });
  return { device: info.device, gpu };
}

/**
 * Starts a back end.
 *
 * @param threads CPU threads; default: all that this process may use
 * @throws ComputeError it cannot be used here
 */
export async function createTfjsCompute(
  name: TfjsName,
  threads = availableParallelism(),
): Promise<TfjsCompute> {
  const { device, gpu, check, stop } = await STARTERS[name]();
  tf.enableProdMode();
  /** Backends that have started are activated synchronously. */
  const enter = (): void => {
    if (tf.getBackend() !== name) void tf.setBackend(name);
  };
  return {
    name,
    device,
    workers: name === 'wasm' || name === 'cpu' ? threads : 1,
    gpu,
    async compile(outputs) {
      enter();
      return compile(outputs, enter);
    },
    upload(shape, data) {
      enter();
      return new TfjsValue(tf.tensor(data, [...shape]));
    },
    async read(value) {
      const data = (await tensorOf(value).data()) as Float32Array;
      check?.();
      return data;
    },
    free(...values) {
      for (const value of values) tensorOf(value).dispose();
    },
    async dispose() {
      stop?.();
    },
  };
}

const tensorOf = (value: Value): tf.Tensor => (value as TfjsValue).tensor;

function compile(outputs: Outputs, enter: () => void): Program {
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
      enter();
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
