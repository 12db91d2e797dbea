/** Tensors and matrices as flat rows of numbers, as threads share them. */
import { sizeOf } from '../autodiff/graph.ts';
import type { Shapes } from '../autodiff/parameters.ts';

/** Positions of the tensors of a set in one row. */
export class ParameterLayout {
  private readonly ranges = new Map<string, readonly [from: number, to: number]>();
  /** Length of the row. */
  readonly length: number;

  constructor(readonly shapes: Shapes) {
    let end = 0;
    for (const [name, shape] of shapes) {
      const from = end;
      end += sizeOf(shape);
      this.ranges.set(name, [from, end]);
    }
    this.length = end;
  }

  /** A view of the tensor's part of a row. */
  part(row: Float32Array, name: string): Float32Array {
    return row.subarray(...this.ranges.get(name)!);
  }
}

/**
 * Adds rows in the order of their index, in whatever order they arrive, so that equal runs round
 * equally.
 */
export class OrderedSum {
  private readonly waiting = new Map<number, Float32Array>();
  private next = 0;
  private row: Float32Array | undefined;

  /** @param row with index i, 0…; the caller must not use it again */
  add(row: Float32Array, i: number): void {
    this.waiting.set(i, row);
    for (;;) {
      const found = this.waiting.get(this.next);
      if (!found) return;
      this.waiting.delete(this.next);
      this.next++;
      if (this.row) for (let k = 0; k < found.length; k++) this.row[k] += found[k];
      else this.row = found;
    }
  }

  /** The sum of all rows before the first missing one. */
  get total(): Float32Array {
    return this.row ?? new Float32Array(0);
  }
}

/** `count` indices below `all`, evenly spaced. */
export const evenly = (all: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.floor((i * all) / count));

/** Copies rows of a matrix [N, size], in the order of `chosen`. */
export function rowsOf(
  matrix: Float32Array,
  chosen: ArrayLike<number>,
  size: number,
): Float32Array {
  const rows = new Float32Array(chosen.length * size);
  for (let i = 0; i < chosen.length; i++) {
    rows.set(matrix.subarray(chosen[i] * size, (chosen[i] + 1) * size), i * size);
  }
  return rows;
}
