/** What training asks of a back end: compile expressions, run them, keep tensors where it computes. */
import type { Outputs, Shape } from './graph.ts';

/** A tensor in a back end's own memory; `free` it. */
export interface Value {
  readonly shape: Shape;
}

/** Tensors by the name of an input or output. */
export type Values = Readonly<Record<string, Value>>;

export interface Program {
  /**
   * Computes all outputs.
   *
   * @param inputs a value for each input, of its shape; they stay the caller's
   * @returns a value for each output, now the caller's
   * @throws RangeError an input is missing or of another shape
   */
  run(inputs: Values): Promise<Values>;
  dispose(): Promise<void>;
}

export const COMPUTE_NAMES = ['onnx', 'tensorflow', 'webgpu', 'wasm', 'cpu'] as const;
export type ComputeName = (typeof COMPUTE_NAMES)[number];

export interface Compute {
  readonly name: ComputeName;
  /** For people: what it runs on. */
  readonly device: string;
  /** How many threads with a compute like it use the machine best: the cores of a CPU; 1 on a GPU, which needs no thread. */
  readonly workers: number;
  compile(outputs: Outputs): Promise<Program>;
  /** Takes row-major numbers; the array must not change while the value lives. */
  upload(shape: Shape, data: Float32Array): Value;
  /** Row-major numbers; not to be changed. */
  read(value: Value): Promise<Float32Array>;
  free(...values: Value[]): void;
  dispose(): Promise<void>;
}
