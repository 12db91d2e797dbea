/** Chooses the images of an update from its number alone, so that a run can resume anywhere. */
import { createRandom, hashText, type Random } from '../../shared/random.ts';
import type { TrainingConfig } from './config.ts';
import { shuffled } from './data/dataset.ts';

/** Random numbers of one update of a run. */
export const randomOfUpdate = (seed: number, update: number): Random =>
  createRandom(hashText(`${seed} update ${update}`));

/**
 * The images of a pass: those of the gallery, which are the first of the training split, as often as
 * configured.
 */
export function passImages(
  all: Uint32Array,
  train: Uint32Array,
  { gallery, galleryTimes }: Pick<TrainingConfig, 'gallery' | 'galleryTimes'>,
): Uint32Array {
  const first = [...train.subarray(0, gallery)];
  const repeats = Array.from({ length: galleryTimes - 1 }, () => first);
  return Uint32Array.from([...all, ...repeats.flat()]);
}

/** Endless passes over images, each in a new random order. */
export class DataPasses {
  private order: Uint32Array | undefined;
  private pass = -1;

  /** @param indices at least one */
  constructor(
    private readonly indices: Uint32Array,
    private readonly seed: number,
  ) {}

  /** Images at positions [from, from + n) of the endless sequence. */
  at(from: number, n: number): Uint32Array {
    return Uint32Array.from({ length: n }, (_, i) => this.one(from + i));
  }

  private one(position: number): number {
    const pass = Math.floor(position / this.indices.length);
    if (pass !== this.pass || !this.order) {
      this.order = shuffled(this.indices, createRandom(hashText(`${this.seed} pass ${pass}`)));
      this.pass = pass;
    }
    return this.order[position % this.indices.length];
  }
}
