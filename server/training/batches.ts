/** Which images an update sees, as a function of its number alone, so that a run can be taken up anywhere. */
import { createRandom, hashText, type Random } from '../../shared/random.ts';
import { shuffled } from './data/dataset.ts';

/** Chance of one update of a run. */
export const randomOfUpdate = (seed: number, update: number): Random =>
  createRandom(hashText(`${seed} update ${update}`));

/** Endless passes over images, each shuffled anew, without replacement within a pass. */
export class DataPasses {
  private order: Uint32Array | undefined;
  private pass = -1;

  constructor(
    private readonly indices: Uint32Array,
    private readonly seed: number,
  ) {
    if (indices.length === 0) throw new RangeError('there are no images to train on');
  }

  /** Images at places [from, from + n) of the endless row. */
  at(from: number, n: number): Uint32Array {
    return Uint32Array.from({ length: n }, (_, i) => this.one(from + i));
  }

  private one(place: number): number {
    const pass = Math.floor(place / this.indices.length);
    if (pass !== this.pass || !this.order) {
      this.order = shuffled(this.indices, createRandom(hashText(`${this.seed} pass ${pass}`)));
      this.pass = pass;
    }
    return this.order[place % this.indices.length];
  }
}
