/** Named tensors that training moves: their shapes, their first values, their number. */
import type { Random } from '../../../shared/random.ts';
import { type Expression, input, type Shape } from '../autodiff/graph.ts';

export type Shapes = ReadonlyMap<string, Shape>;
export interface Tensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}
export type Tensors = ReadonlyMap<string, Tensor>;
/** Parameters as inputs of expressions, by name. */
export type Parameters = (name: string) => Expression;

const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

export function countNumbers(shapes: Shapes): number {
  let count = 0;
  for (const shape of shapes.values()) count += sizeOf(shape);
  return count;
}

/** Parameters of an expression as inputs named `parameter:…`, each made once. */
export function parameterInputs(shapes: Shapes): Parameters {
  const made = new Map<string, Expression>();
  return (name) => {
    const known = made.get(name);
    if (known) return known;
    const shape = shapes.get(name);
    if (!shape) throw new RangeError(`there is no parameter "${name}"`);
    const expression = input(`parameter:${name}`, shape);
    made.set(name, expression);
    return expression;
  };
}

/** Layers that begin at zero: an untrained rule leaves every cell as it is, and no genome says anything. */
const BEGINS_AT_ZERO = /^update\.(out\.|modulation\.)/;

/**
 * First values as PyTorch 1.9 draws them, which the published training used: kernels and biases uniform in
 * ±1/√fan-in; the update net's last layer zero.
 */
export function initialise(
  shapes: Shapes,
  random: Random,
): Map<string, { shape: Shape; data: Float32Array }> {
  const tensors = new Map<string, { shape: Shape; data: Float32Array }>();
  for (const [name, shape] of shapes) {
    const kernel = shapes.get(name.replace(/\.bias$/, '.kernel')) ?? shape;
    const bound = 1 / Math.sqrt(sizeOf(kernel.slice(0, -1)));
    const data = new Float32Array(sizeOf(shape));
    if (!BEGINS_AT_ZERO.test(name)) {
      for (let i = 0; i < data.length; i++) data[i] = bound * (2 * random.uniform() - 1);
    }
    tensors.set(name, { shape, data });
  }
  return tensors;
}
