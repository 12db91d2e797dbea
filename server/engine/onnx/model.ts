import './no-telemetry.ts';
import { InferenceSession } from 'onnxruntime-node';

/**
 * Version numbers and type codes of the ONNX format, as defined in onnx.proto3. The field numbers
 * below are also from onnx.proto3.
 */
const IR_VERSION = 8;
const OPSET = 17;
const FLOAT = 1;
const INT64 = 7;

type Attribute = number | readonly number[];
/** A dimension of a tensor: a number if it is fixed, a name if it is dynamic. */
export type Dimension = number | string;

/** Builds an ONNX model in memory. `finish` serializes it. */
export class ModelWriter {
  private readonly graph = new ProtoWriter().text(2, 'step');
  private names = 0;

  /**
   * Adds a node with one output.
   *
   * @param type name of the operator. A non-standard operator has its domain and a dot before its
   * name
   * @returns the output's name
   */
  node(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output = `t${this.names++}`,
  ): string {
    const node = new ProtoWriter();
    for (const input of inputs) node.text(1, input);
    const dot = type.lastIndexOf('.');
    node
      .text(2, output)
      .text(3, output)
      .text(4, type.slice(dot + 1));
    for (const [name, value] of Object.entries(attributes)) {
      const attribute = new ProtoWriter().text(1, name);
      if (typeof value === 'number') attribute.int(3, value).int(20, 2);
      else {
        for (const item of value) attribute.int(8, item);
        attribute.int(20, 7);
      }
      node.message(5, attribute);
    }
    if (dot >= 0) node.text(7, type.slice(0, dot));
    this.graph.message(1, node);
    return output;
  }

  /** Adds a float32 constant. @returns the constant's name */
  weight(shape: readonly number[], data: Float32Array): string {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return this.constant(FLOAT, shape, bytes);
  }

  /** Adds a scalar constant. @returns the constant's name */
  number(value: number): string {
    return this.weight([], Float32Array.of(value));
  }

  /** Adds a constant list of int64. @returns the constant's name */
  integers(values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.constant(INT64, [values.length], new Uint8Array(data.buffer));
  }

  /**
   * Adds a Reshape node. In `shape`, −1 and 0 have the meanings that ONNX defines. @returns the
   * output's name
   */
  reshape(input: string, shape: readonly number[]): string {
    return this.node('Reshape', [input, this.integers(shape)]);
  }

  input(name: string, shape: readonly Dimension[]): string {
    this.graph.message(11, valueInfo(name, shape));
    return name;
  }

  output(name: string, shape: readonly Dimension[]): void {
    this.graph.message(12, valueInfo(name, shape));
  }

  finish(): Uint8Array {
    return new ProtoWriter()
      .int(1, IR_VERSION)
      .message(7, this.graph)
      .message(8, new ProtoWriter().text(1, '').int(2, OPSET))
      .message(8, new ProtoWriter().text(1, 'com.microsoft').int(2, 1))
      .finish();
  }

  private constant(type: number, shape: readonly number[], data: Uint8Array): string {
    const name = `w${this.names++}`;
    const tensor = new ProtoWriter();
    for (const dimension of shape) tensor.int(1, dimension);
    this.graph.message(5, tensor.int(2, type).text(8, name).bytes(9, data));
    return name;
  }
}

function valueInfo(name: string, shape: readonly Dimension[]): ProtoWriter {
  const dimensions = new ProtoWriter();
  for (const dimension of shape) {
    const value = new ProtoWriter();
    if (typeof dimension === 'number') value.int(1, dimension);
    else value.text(2, dimension);
    dimensions.message(1, value);
  }
  const tensor = new ProtoWriter().int(1, FLOAT).message(2, dimensions);
  return new ProtoWriter().text(1, name).message(2, new ProtoWriter().message(1, tensor));
}

/**
 * Encodes messages of Protocol Buffers, with the types that occur in ONNX models.
 * https://protobuf.dev/programming-guides/encoding
 */
class ProtoWriter {
  private readonly parts: Uint8Array[] = [];

  /** Appends a non-negative integer, as a varint. */
  int(field: number, value: number): this {
    this.parts.push(varint(field * 8), varint(value));
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.parts.push(varint(field * 8 + 2), varint(value.length), value);
    return this;
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, value: ProtoWriter): this {
    return this.bytes(field, value.finish());
  }

  finish(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.parts));
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

export { Tensor } from 'onnxruntime-node';

/**
 * Loads a model. Each run uses one thread: several threads would wait for each other after every
 * layer.
 */
export const openSession = (model: Uint8Array): Promise<InferenceSession> =>
  InferenceSession.create(model, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
