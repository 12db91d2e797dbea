/**
 * The interface of a training back end. A back end compiles tensor expressions, runs the compiled
 * programs, and stores tensors in its own memory (RAM or GPU memory).
 */
import type { NativeSteps } from '../engine/native/native.ts';
import type { Architecture } from '../vnca/architecture.ts';
import type { Outputs, Shape } from './graph.ts';

/**
 * Looks up an input of a program by name.
 *
 * @throws RangeError if the input is missing or has another shape
 */
export function inputOf<V extends Value>(values: Values, name: string, shape: Shape): V {
  const value = values[name];
  if (!value) throw new RangeError(`input "${name}" is missing`);
  if (`${value.shape}` !== `${shape}`) {
    throw new RangeError(`input "${name}" has shape [${value.shape}], not [${shape}]`);
  }
  return value as V;
}

/** A tensor in the memory of a back end. Release it with `Compute.free`. */
export interface Value {
  readonly shape: Shape;
}

/** Tensors by input or output name. */
export type Values = Readonly<Record<string, Value>>;

/** Tensor expressions that a back end has compiled, ready to run. */
export interface Program {
  /**
   * Computes all outputs of the program. The caller frees both inputs and outputs.
   *
   * @param inputs one tensor for each input of the program
   * @returns one tensor for each output of the program
   * @throws RangeError if an input is missing or has another shape
   */
  run(inputs: Values): Promise<Values>;
  dispose(): Promise<void>;
}

export const COMPUTE_NAMES = ['native', 'onnx', 'webgpu'] as const;
export type ComputeName = (typeof COMPUTE_NAMES)[number];

/**
 * A back end. Its tensors and programs may be used only in the thread that started the back end.
 */
export interface Compute {
  readonly name: ComputeName;
  /** Description of the hardware for people, e.g. 'CPU (ONNX Runtime, 8 threads)'. */
  readonly device: string;
  /** Recommended number of threads, each with a back end of its own. On a GPU, the number is 1. */
  readonly workers: number;
  /** Loads native code for the steps of a cell rule. Absent if the back end has no native code. */
  readonly openSteps?: (architecture: Architecture) => NativeSteps;
  compile(outputs: Outputs): Promise<Program>;
  /**
   * Creates a tensor from numbers in row-major order. The caller must not change `data` while the
   * tensor is in use.
   */
  upload(shape: Shape, data: Float32Array): Value;
  /**
   * Returns a tensor's numbers in row-major order. The caller must not change the returned array.
   */
  read(value: Value): Promise<Float32Array>;
  free(...values: Value[]): void;
  dispose(): Promise<void>;
}

/** Thrown if a back end cannot be started or has failed. */
export class ComputeError extends Error {
  override readonly name = 'ComputeError';
  readonly reason = 'no-compute';

  constructor(what: string, of: ComputeName = 'webgpu') {
    super(`${of}: ${what}`);
  }
}
