/**
 * The back end contract. A back end compiles expressions, runs them, and stores tensors in its own
 * memory.
 */
import type { NativeSteps } from '../engine/native/native.ts';
import type { Architecture } from '../vnca/architecture.ts';
import type { Outputs, Shape } from './graph.ts';

/** Looks up an input of a program. @throws RangeError if it is missing or has another shape */
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

/** Maps the names of inputs or outputs to their tensors. */
export type Values = Readonly<Record<string, Value>>;

/** Compiled expressions. */
export interface Program {
  /**
   * Computes all outputs.
   *
   * @param inputs a value of the right shape for each input; the caller frees them
   * @returns a value for each output; the caller frees them
   * @throws RangeError if an input is missing or has another shape
   */
  run(inputs: Values): Promise<Values>;
  dispose(): Promise<void>;
}

export const COMPUTE_NAMES = ['native', 'onnx', 'webgpu'] as const;
export type ComputeName = (typeof COMPUTE_NAMES)[number];

/** A back end. Its values and programs belong to the thread that opened it. */
export interface Compute {
  readonly name: ComputeName;
  /** Description of the hardware, as text for the host. */
  readonly device: string;
  /**
   * Number of threads, each with its own back end, that make the best use of the machine: the
   * number of CPU cores, or 1 for a GPU.
   */
  readonly workers: number;
  /** Prepares native code for the steps of a rule, if the back end has such code. */
  readonly openSteps?: (architecture: Architecture) => NativeSteps;
  compile(outputs: Outputs): Promise<Program>;
  /** Uploads row-major numbers. The array must not change while the value is in use. */
  upload(shape: Shape, data: Float32Array): Value;
  /** Downloads row-major numbers. The caller must not change the array. */
  read(value: Value): Promise<Float32Array>;
  free(...values: Value[]): void;
  dispose(): Promise<void>;
}

/** Thrown if a back end cannot be used or has failed. The message suggests a remedy. */
export class ComputeError extends Error {
  override readonly name = 'ComputeError';
  readonly reason = 'no-compute';

  constructor(what: string, of: ComputeName = 'webgpu') {
    super(`${of}: ${what}`);
  }
}
