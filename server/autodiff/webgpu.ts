/**
 * Runs tensor expressions on a GPU, one operation at a time, with TensorFlow.js. Maps are stored as
 * [N, H, W, C].
 */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineError } from '../engine/engine.ts';
import { openGpu } from '../engine/webgpu/device.ts';
import {
  type Compute,
  ComputeError,
  inputOf,
  type Program,
  type Value,
  type Values,
} from './compute.ts';
import * as g from './graph.ts';

const NAME = 'webgpu';

export interface Device {
  readonly device: string;
  /** Whether the device is a hardware GPU. If false, a driver emulates a GPU on the CPU. */
  readonly gpu: boolean;
  /**
   * Checks that the device still works. Call this before using results.
   *
   * @throws ComputeError if the device has failed
   */
  check(): void;
  destroy(): void;
}

/**
 * Opens the GPU, and registers it as this thread's TensorFlow.js backend 'webgpu'.
 *
 * @throws ComputeError if there is no GPU, or if an npm package is missing
 */
export async function startDevice(): Promise<Device> {
  // Import the package before `navigator.gpu` exists. Otherwise, the package opens its own device.
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu').catch(
    (error: Error) => {
      const [why] = error.message.split('\n');
      const what = `cannot load the package @tensorflow/tfjs-backend-webgpu (${why}); run npm ci`;
      throw new ComputeError(what);
    },
  );
  const { instance, device, info, name, real } = await openGpu().catch(
    ({ detail }: EngineError) => {
      throw new ComputeError(`${detail}, or train with --backend onnx`);
    },
  );

  // Record GPU errors, because TensorFlow.js does not report them. For example, TensorFlow.js
  // returns zeros if the GPU has no memory left.
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
      const what = `the GPU failed (${failure.split('\n')[0]}); try a smaller batch`;
      throw new ComputeError(what);
    },
    destroy() {
      tf.removeBackend(NAME);
      device.destroy();
      // Keep the instance until the device is lost. If the instance is garbage-collected earlier,
      // Dawn (the WebGPU library) crashes the process.
      void device.lost.then(() => instance);
    },
  };
}

/**
 * Defines `navigator.gpu` while `use` runs, because TensorFlow.js accepts a device only if
 * `navigator.gpu` is defined. Then restores the previous `navigator`, because the temporary
 * `navigator` would keep the process alive.
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
  readonly shape: g.Shape;

  constructor(readonly tensor: tf.Tensor) {
    this.shape = tensor.shape;
  }
}

type TfjsCompute = Compute & Pick<Device, 'gpu'>;

/**
 * Starts the WebGPU back end on a hardware GPU or on a driver that emulates one. A thread can have
 * only one WebGPU back end at a time.
 *
 * @throws ComputeError if neither a GPU nor an emulating driver can be used
 */
export const createWebgpuCompute = async (): Promise<TfjsCompute> =>
  tfjsCompute(await startDevice());

/** Creates a back end on top of this thread's active TensorFlow.js backend. */
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

function compile(outputs: g.Outputs): Program {
  const order = g.inOrder(Object.values(outputs));
  const places = new Map(order.map((at, place) => [at, place]));
  const results = Object.entries(outputs).map(([name, at]) => ({ name, place: places.get(at)! }));
  const steps = plan(order, places, new Set(results.map(({ place }) => place)));
  const constants = new Map<g.Expression, tf.Tensor>();
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
        // Clone the results. If two results are the same tensor, the caller would otherwise free it
        // twice.
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

/** Plans the steps of a run, one per tensor expression. */
function plan(
  order: readonly g.Expression[],
  places: ReadonlyMap<g.Expression, number>,
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
      /** Indices of the earlier steps whose results this step reads. */
      operands,
      /** Indices of earlier steps whose results can be freed after this step. */
      spent: [...spent],
    };
  });
}

function compute(at: g.Expression, operands: readonly tf.Tensor[]): tf.Tensor {
  const kernel = KERNELS[at.operation.kind as keyof typeof KERNELS] as Kernel;
  return tf.tidy(() => kernel(at, operands, at.operation));
}

/**
 * Computes an operation with TensorFlow.js's active backend. The caller disposes of intermediate
 * tensors.
 */
type Kernel<O extends g.Operation = g.Operation> = (
  at: g.Expression,
  operands: readonly tf.Tensor[],
  operation: O,
) => tf.Tensor;
type Kernels = {
  [K in Exclude<g.OperationKind, 'input'>]: Kernel<Extract<g.Operation, g.OperationOf<K>>>;
};

const { elu, exp, log, neg, relu, sigmoid, softplus, sqrt, tanh } = tf;
const UNARY = { elu, exp, log, neg, relu, sigmoid, softplus, sqrt, tanh };
const { add, div, maximum, minimum, mul, sub } = tf;
const greater = (a: tf.Tensor, b: tf.Tensor) => tf.cast(tf.greater(a, b), 'float32');
const BINARY = { add, div, greater, maximum, minimum, mul, sub };

const KERNELS: Kernels = {
  constant: (_, __, { value }) => tf.scalar(value),
  unary: (_, [x], { function: name }) => UNARY[name](x),
  binary: (_, [a, b], { function: name }) => BINARY[name](a, b),
  where: (_, [condition, a, b]) => tf.where(tf.cast(condition, 'bool'), a, b),
  clip: (_, [x], { low, high }) => tf.clipByValue(x, low, high),
  within: (_, [x, clipped]) => tf.cast(tf.equal(x, clipped), 'float32'),
  expand(at, [x]) {
    const [from] = at.inputs;
    if (from.operation.kind === 'constant') return tf.fill([...at.shape], from.operation.value);
    return tf.broadcastTo(x, [...at.shape]);
  },
  sum: (_, [x], { axes }) => tf.sum(x, [...axes], true),
  max: (_, [x], { axes }) => tf.max(x, [...axes], true),
  reshape: (at, [x]) => tf.reshape(x, [...at.shape]),
  slice(at, [x], { from }) {
    const begin = at.shape.map((_, axis) => (axis === at.shape.length - 1 ? from : 0));
    return tf.slice(x, begin, [...at.shape]);
  },
  pad(at, [x], { from }) {
    const last = at.shape.length - 1;
    const behind = at.shape[last] - from - x.shape[last];
    return tf.pad(
      x,
      at.shape.map((_, axis): [number, number] => (axis === last ? [from, behind] : [0, 0])),
    );
  },
  matMul: (_, [a, b], { transposeA, transposeB }) => tf.matMul(a, b, transposeA, transposeB),
  pointwise(at, [x, weights], { transposed }) {
    const each = g.isEach(at.inputs[1])
      ? tf.matMul(rows(x), weights, false, transposed)
      : tf.matMul(cells(x), weights, false, transposed);
    return tf.reshape(each, [...at.shape]);
  },
  pointwiseFilter: (_, [x, change], { each }) =>
    each
      ? tf.matMul(rows(x), rows(change), true, false)
      : tf.matMul(cells(x), cells(change), true, false),
  conv: (_, [x, weights], { stride, pad }) =>
    tf.conv2d(x as tf.Tensor4D, weights as tf.Tensor4D, stride, sides(pad)),
  convInput(at, [change, weights], { size, stride, pad }) {
    if (stride === 1) {
      // The gradient is a convolution of `change` with the kernel, rotated by 180° and with its
      // input and output channels swapped.
      const turned = tf.transpose(tf.reverse(weights, [0, 1]), [0, 1, 3, 2]);
      return tf.conv2d(change as tf.Tensor4D, turned as tf.Tensor4D, 1, sides(size - 1 - pad));
    }
    const [n, h, w, channels] = at.shape;
    const padded = tf.conv2dTranspose(
      change as tf.Tensor4D,
      weights as tf.Tensor4D,
      [n, h + 2 * pad, w + 2 * pad, channels],
      stride,
      'valid',
    );
    return tf.slice(padded, [0, pad, pad, 0], [n, h, w, channels]);
  },
  convFilter: (at, [x, change], { stride, pad }) =>
    convFilterByTaps(pad === 0 ? x : tf.pad(x, sides(pad)), change, stride, at),
  upsample(_, [x]) {
    const [, h, w] = x.shape;
    return tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [2 * h, 2 * w]);
  },
  // The sum of four cells is four times their average. Multiplying by 4 does not round.
  sumPool: (_, [x]) => tf.mul(tf.avgPool(x as tf.Tensor4D, 2, 2, 'valid'), 4),
};

type Pads = [[number, number], [number, number], [number, number], [number, number]];

const sides = (pad: number): Pads => {
  const both: [number, number] = [pad, pad];
  return [[0, 0], both, both, [0, 0]];
};

/** Reshapes a map [N, H, W, C] to [N, H·W, C]. */
const rows = (x: tf.Tensor): tf.Tensor3D =>
  tf.reshape(x, [x.shape[0], x.shape[1]! * x.shape[2]!, x.shape[3]!]);

/** Reshapes a map [N, H, W, C] to [N·H·W, C]. */
const cells = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [-1, x.shape[x.shape.length - 1]]);

/**
 * Computes the gradient with respect to a convolution's weights: for each position in the kernel,
 * one matrix product of input cells and `change`. This is faster than TensorFlow.js's function.
 *
 * @param change gradient with respect to the convolution's output
 */
function convFilterByTaps(
  padded: tf.Tensor,
  change: tf.Tensor,
  stride: number,
  { shape, inputs: [, { shape: changeShape }] }: g.Expression,
): tf.Tensor {
  const [n, h, w] = changeShape;
  const [size, , inputs] = shape;
  const taps: tf.Tensor[] = [];
  for (let j = 0; j < size; j++) {
    for (let i = 0; i < size; i++) {
      const seen =
        stride === 1
          ? tf.slice(padded, [0, j, i, 0], [n, h, w, inputs])
          : tf.stridedSlice(
              padded,
              [0, j, i, 0],
              [n, j + stride * (h - 1) + 1, i + stride * (w - 1) + 1, inputs],
              [1, stride, stride, 1],
            );
      taps.push(tf.matMul(cells(seen), cells(change), true, false));
    }
  }
  return tf.reshape(tf.concat(taps, 0), [...shape]);
}
