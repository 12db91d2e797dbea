/** Helpers for tests of the model: small tensors, arithmetic in float64, finite differences. */
import type { Value } from '../../../../server/autodiff/compute.ts';
import { sizeOf } from '../../../../server/autodiff/graph.ts';
import type { Shapes } from '../../../../server/autodiff/parameters.ts';
import { createRandom } from '../../../../shared/random.ts';

export interface Numbers {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export function normals(shape: readonly number[], seed: number, scale = 1): Numbers {
  const random = createRandom(seed);
  return {
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, () => scale * random.normal()),
  };
}

/** Makes random tensors by the name of their input, large enough that no effect vanishes. */
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

/** Returns the slope of an objective along one number of a tensor. */
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

/** Largest relative error between a gradient and a finite difference. */
const CLOSE = 0.01;

/**
 * Share of a tensor's largest slope below which a slope counts as rounding error. Differences of
 * float32 sums have errors up to 2e-4 of the largest slope (measured), which is within `CLOSE` of
 * this share.
 */
const FLOOR = 0.03;

/**
 * Compares gradients with finite differences, relative to the slope or, for small slopes, to the
 * floor of the tensor.
 */
export function slopeChecker() {
  const tensors = new Map<string, { at: number; found: number; wanted: number }[]>();
  const floorOf = (slopes: readonly { wanted: number }[]): number =>
    FLOOR * Math.max(...slopes.map(({ wanted }) => Math.abs(wanted)));
  return {
    /** @param at index of the number in its tensor */
    compare(tensor: string, at: number, found: number, wanted: number): void {
      const slopes = tensors.get(tensor) ?? [];
      tensors.set(tensor, [...slopes, { at, found, wanted }]);
    },
    /** Describes slopes that are not close, and tensors without any effect. */
    wrong(): string[] {
      return [...tensors].flatMap(([tensor, slopes]) => {
        const floor = floorOf(slopes);
        if (!(floor > 0)) return [`${tensor}: no number of it changes anything`];
        return slopes
          .filter(({ found, wanted }) => {
            const error = Math.abs(found - wanted) / Math.max(floor, Math.abs(wanted));
            return !(error < CLOSE);
          })
          .map(
            ({ at, found, wanted }) =>
              `${tensor}[${at}]: gradient ${found}, finite difference ${wanted}`,
          );
      });
    },
    /** Returns the share of slopes above their floor. */
    steep(): number {
      const all = [...tensors.values()].flatMap((slopes) => {
        const floor = floorOf(slopes);
        return slopes.map(({ wanted }) => Math.abs(wanted) > floor);
      });
      return all.filter(Boolean).length / all.length;
    },
  };
}

export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
