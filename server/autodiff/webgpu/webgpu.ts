/** Runs expressions on a GPU with TensorFlow.js, operation by operation. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineError } from '../../engine/engine.ts';
import { openGpu } from '../../engine/webgpu/device.ts';
import {
  type Compute,
  ComputeError,
  inputOf,
  type Program,
  type Value,
  type Values,
} from '../compute.ts';
import { type Expression, inOrder, type Outputs, type Shape } from '../graph.ts';
import { KERNELS, type Kernel } from './kernels.ts';

const NAME = 'webgpu';

/** An open GPU. */
export interface Device {
  readonly device: string;
  /** Whether the device is a GPU, not a driver that computes on the CPU. */
  readonly gpu: boolean;
  /** @throws ComputeError if the device has failed, so results are invalid */
  check(): void;
  destroy(): void;
}

/**
 * Opens the GPU as this thread's tfjs backend 'webgpu'.
 *
 * @throws ComputeError if there is no GPU, or a package is missing
 */
export async function startDevice(): Promise<Device> {
  // Imports the package before `navigator.gpu` exists, so that it registers only kernels and opens
  // no device of its own.
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu').catch(
    (error: Error) => {
      const [why] = error.message.split('\n');
      const what = `@tensorflow/tfjs-backend-webgpu does not load; run npm ci (${why})`;
      throw new ComputeError(what);
    },
  );
  const { instance, device, info, name, real } = await openGpu().catch(
    ({ detail }: EngineError) => {
      throw new ComputeError(`${detail}, or train with --backend onnx`);
    },
  );

  // Collects errors that tfjs does not notice. For example, a kernel that gets no memory returns
  // zeros.
  let failure: string | undefined;
  device.onuncapturederror = ({ error }) => {
    failure ??= error.message;
  };
  void device.lost.then(({ message }) => {
    failure ??= message;
  });

  const backend = withNavigator(instance, () => new WebGPUBackend(device, info));
  tf.registerBackend(NAME, () => backend);
  tf.enableProdMode();
  await tf.setBackend(NAME);
  return {
    device: name,
    gpu: real,
    check() {
      if (failure === undefined) return;
      const what = `the device failed; try a smaller batch (${failure.split('\n')[0]})`;
      throw new ComputeError(what);
    },
    destroy() {
      tf.removeBackend(NAME);
      device.destroy();
      // Keeps a reference to the instance until the device is lost, because Dawn crashes the
      // process if the instance is garbage-collected earlier.
      void device.lost.then(() => instance);
    },
  };
}

/**
 * Provides `navigator.gpu` during the call, because tfjs needs it to accept a device. Leaving it
 * defined would keep the process alive.
 */
function withNavigator<T>(gpu: GPU, use: () => T): T {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  try {
    return use();
  } finally {
    if (before) Object.defineProperty(globalThis, 'navigator', before);
    else delete (globalThis as { navigator?: unknown }).navigator;
  }
}

class TfjsValue implements Value {
  readonly shape: Shape;

  constructor(readonly tensor: tf.Tensor) {
    this.shape = tensor.shape;
  }
}

/** A back end that knows whether it runs on a real GPU. */
type TfjsCompute = Compute & Pick<Device, 'gpu'>;

/**
 * Starts the back end on a GPU, or on a driver that emulates one. A thread can have only one such
 * back end at a time.
 *
 * @throws ComputeError if there is no GPU, or it cannot be used
 */
export const createWebgpuCompute = async (): Promise<TfjsCompute> =>
  tfjsCompute(await startDevice());

/** Creates a back end that uses this thread's current TensorFlow.js backend. */
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
  /** Constants, shared by all runs. */
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
        // Clones results so that each can be freed separately, because a result can also be an
        // input or have two names. Cloning costs little, because clones share memory.
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

/**
 * Plans the steps of a run. Finds the last use of each result, so that the result is freed as early
 * as possible.
 */
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
