/**
 * Parameters: the named tensors that training changes. Declares them as inputs of expressions,
 * uploads their values, and draws their initial values.
 */
import type { Random } from '../../shared/random.ts';
import type { Float32Tensor } from '../../shared/safetensors.ts';
import { getOrAdd } from '../platform/collections.ts';
import type { Compute, Value } from './compute.ts';
import { type Expression, input, type Shape, sizeOf } from './graph.ts';

export type Shapes = ReadonlyMap<string, Shape>;
/** Tensors by name, stored in this process's own memory. */
export type Tensors = ReadonlyMap<string, Float32Tensor>;
export type Parameters = (name: string) => Expression;

/**
 * Returns a function that looks up a parameter's expression, an input named `parameter:NAME`.
 *
 * @throws RangeError from the returned function, if there is no parameter of that name
 */
export function parameterInputs(shapes: Shapes): Parameters {
  const inputs = new Map<string, Expression>();
  return (name) =>
    getOrAdd(inputs, name, () => {
      const shape = shapes.get(name);
      if (!shape) throw new RangeError(`there is no parameter "${name}"`);
      return input(`parameter:${name}`, shape);
    });
}

/**
 * Uploads parameters to a back end. The caller frees the uploaded tensors.
 *
 * @returns one tensor for each parameter, under the key `parameter:NAME`
 */
export const uploadParameters = (
  compute: Compute,
  names: Iterable<string>,
  tensors: Tensors,
): Record<string, Value> =>
  Object.fromEntries(
    Array.from(names, (name) => {
      const { shape, data } = tensors.get(name)!;
      return [`parameter:${name}`, compute.upload(shape, data)];
    }),
  );

/**
 * Matches the names of parameters that are zero before training: those of the last layers of the
 * rule (`out`) and of the genome net (`modulation`), and the trained vectors that are added to the
 * latents of gallery images.
 */
const STARTS_AT_ZERO = /^(update\.(out|modulation)|gallery)\./;

/**
 * Draws initial values, uniformly distributed in ±1/√fan-in, as in PyTorch 1.9. Parameters that
 * match `STARTS_AT_ZERO` are zero.
 */
export function initialise(shapes: Shapes, random: Random): Map<string, Float32Tensor> {
  const tensors = new Map<string, Float32Tensor>();
  for (const [name, shape] of shapes) {
    const kernel = shapes.get(name.replace(/\.bias$/, '.kernel')) ?? shape;
    const bound = 1 / Math.sqrt(sizeOf(kernel.slice(0, -1)));
    const data = new Float32Array(sizeOf(shape));
    if (!STARTS_AT_ZERO.test(name)) {
      for (let i = 0; i < data.length; i++) data[i] = bound * (2 * random.uniform() - 1);
    }
    tensors.set(name, { shape, data });
  }
  return tensors;
}
