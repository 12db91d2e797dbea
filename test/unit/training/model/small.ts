/** What the tests of the model share: small tensors, plain arithmetic in float64, finite differences. */
import type { Value } from '../../../../server/training/autodiff/compute.ts';
import type { Shapes } from '../../../../server/training/model/parameters.ts';
import { createRandom } from '../../../../shared/random.ts';

export interface Numbers {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export function normals(shape: readonly number[], seed: number, scale = 1): Numbers {
  const random = createRandom(seed);
  return {
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, () => scale * random.normal()),
  };
}

/** Random tensors of these shapes, large enough that nothing vanishes, by the name of their input. */
export function randomParameters(shapes: Shapes, seed: number): Record<string, Numbers> {
  return Object.fromEntries(
    [...shapes].map(([name, shape], i) => {
      const fanIn = shape.length > 1 ? sizeOf(shape.slice(0, -1)) : 4;
      return [`parameter:${name}`, normals(shape, seed + i, 0.9 / Math.sqrt(fanIn))];
    }),
  );
}

export const upload = (
  compute: { upload(shape: readonly number[], data: Float32Array): Value },
  tensors: Record<string, Numbers>,
): Record<string, Value> =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [name, compute.upload(shape, data)]),
  );

/** Slope of an objective along one number of a tensor. */
export async function slopeAt(
  tensor: Numbers,
  at: number,
  objective: (changed: Float32Array) => Promise<number>,
  step = 4e-3,
): Promise<number> {
  const moved = async (by: number): Promise<number> => {
    const data = tensor.data.slice();
    data[at] += by;
    return objective(data);
  };
  return ((await moved(step)) - (await moved(-step))) / (2 * step);
}

/** Compares gradients with differences; close is within 2 % of the slope, or of one. */
export function slopeChecker() {
  const wrong: string[] = [];
  return {
    wrong,
    count: 0,
    expect(found: number, wanted: number, where: string): void {
      this.count++;
      const error = Math.abs(found - wanted) / Math.max(1, Math.abs(wanted));
      if (!(error < 0.02)) wrong.push(`${where}: gradient ${found}, finite difference ${wanted}`);
    },
  };
}

/** @throws Error they are not close */
export function expectSlope(found: number, wanted: number, where: string): void {
  const check = slopeChecker();
  check.expect(found, wanted, where);
  if (check.wrong.length > 0) throw new Error(check.wrong[0]);
}

export const elu = (x: number): number => (x > 0 ? x : Math.expm1(x));
export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
