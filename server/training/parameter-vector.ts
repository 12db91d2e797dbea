/** Named tensors in one row of numbers, as threads share them and hand them over. */
import type { Shapes } from './model/parameters.ts';

/** Where each tensor of a set lies in the row. */
export class ParameterLayout {
  private readonly places: ReadonlyMap<string, readonly [from: number, to: number]>;
  /** Numbers of the row. */
  readonly length: number;

  constructor(readonly shapes: Shapes) {
    const places = new Map<string, readonly [number, number]>();
    let at = 0;
    for (const [name, shape] of shapes) {
      const from = at;
      at += shape.reduce((a, b) => a * b, 1);
      places.set(name, [from, at]);
    }
    this.places = places;
    this.length = at;
  }

  /** The tensor's own part of a row. */
  part(row: Float32Array, name: string): Float32Array {
    return row.subarray(...this.places.get(name)!);
  }
}

/** The sum of rows, added in their order however they come, so that equal runs round equally. */
export class OrderedSum {
  private readonly waiting = new Map<number, Float32Array>();
  private next = 0;
  private row: Float32Array | undefined;

  /** @param row of place i, 0…; is kept, and the first one changed */
  add(row: Float32Array, i: number): void {
    this.waiting.set(i, row);
    for (;;) {
      const found = this.waiting.get(this.next);
      if (!found) return;
      this.waiting.delete(this.next);
      this.next++;
      if (this.row) addTo(this.row, found);
      else this.row = found;
    }
  }

  /** Of all rows up to the first that is missing. */
  get total(): Float32Array {
    return this.row ?? new Float32Array(0);
  }
}

function addTo(sum: Float32Array, row: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] += row[i];
}
