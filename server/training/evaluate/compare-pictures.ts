import { fileURLToPath } from 'node:url';
import type { Card } from '../../vnca/card.ts';
import { loadModel, type Model } from '../../vnca/checkpoint.ts';
import { createReadout, imageChannels } from '../../vnca/readout.ts';
import type { EvaluationBatch, Grown } from './evaluation-batch.ts';

/** Mean squared difference (of values 0…1) below which two pictures look the same to people. */
export const SAME = 0.01;
/**
 * A stricter limit than `SAME`. Even pictures of different creatures can differ by less than
 * `SAME`.
 */
export const STRICTLY_SAME = 0.002;

/**
 * Draws organisms as a room shows them, with values rounded to 8 bits. Pixels are premultiplied
 * RGBA, ink, or RGB, depending on the checkpoint's read-out. NaN becomes 0.
 *
 * @param states [N, side, side, C]
 * @returns [N, side, side, 1 | 3 | 4], 0…1
 */
export function picturesOf(card: Card, states: Float32Array): Float32Array {
  const cells = states.length / card.channels;
  const rgba = new Uint8Array(4 * cells);
  createReadout(card)(states, 0, rgba, new Uint8Array(cells));
  const c = imageChannels(card.readout);
  const pictures = new Float32Array(cells * c);
  for (let i = 0; i < pictures.length; i++) {
    pictures[i] = rgba[4 * Math.floor(i / c) + (i % c)] / 255;
  }
  return pictures;
}

/**
 * Returns the mean squared difference between each picture in `a` and its counterpart in `b`.
 *
 * @param a [N, …], 0…1
 * @param b [N, …], 0…1
 * @param count N
 * @returns [N], 0…1
 */
export function differences(a: Float32Array, b: Float32Array, count: number): Float32Array {
  const size = a.length / count;
  return Float32Array.from({ length: count }, (_, n) => {
    let sum = 0;
    for (let i = n * size; i < (n + 1) * size; i++) sum += (a[i] - b[i]) ** 2;
    return sum / size;
  });
}

/** Similarity between earlier and later pictures of the same organisms. */
export interface Likeness {
  /**
   * Share of organisms whose earlier and later pictures have a mean squared difference below 0.01,
   * and therefore look the same to people.
   */
  readonly share: number;
  /**
   * Share of organisms whose earlier and later pictures have a mean squared difference below 0.002.
   */
  readonly strict: number;
  readonly mse: number;
  readonly median: number;
  readonly organisms: number;
}

/** Summarises mean squared differences. @param errors one mean squared difference per organism */
export function likeness(errors: Float32Array): Likeness {
  const sorted = Float32Array.from(errors).sort();
  const middle = (sorted.length - 1) / 2;
  const within = (bar: number): number =>
    errors.filter((error) => error < bar).length / errors.length;
  return {
    share: within(SAME),
    strict: within(STRICTLY_SAME),
    mse: mean(errors),
    median: (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2,
    organisms: errors.length,
  };
}

/**
 * Measures how sharp pictures are, with the Sobel operator. Positions outside a picture count as
 * zeros.
 *
 * @param pictures [N, side, side, channels], 0…1
 * @returns mean magnitude of the gradients, which is smaller for blurred pictures
 */
export function edgesOf(pictures: Float32Array, side: number, channels: number): number {
  const row = side * channels;
  let sum = 0;
  for (let i = 0; i < pictures.length; i++) {
    const x = Math.floor(i / channels) % side;
    const y = Math.floor(i / row) % side;
    const at = (dx: number, dy: number): number => {
      const isInside = x + dx >= 0 && x + dx < side && y + dy >= 0 && y + dy < side;
      return isInside ? pictures[i + dy * row + dx * channels] : 0;
    };
    const [nw, n, ne] = [at(-1, -1), at(0, -1), at(1, -1)];
    const [sw, s, se] = [at(-1, 1), at(0, 1), at(1, 1)];
    const across = ne + 2 * at(1, 0) + se - nw - 2 * at(-1, 0) - sw;
    const down = sw + 2 * s + se - nw - 2 * n - ne;
    sum += Math.hypot(across, down);
  }
  return sum / pictures.length;
}

export const mean = (numbers: ArrayLike<number>): number =>
  Array.from(numbers).reduce((sum, x) => sum + x, 0) / numbers.length;

/**
 * Loads the net that computes features of pictures. The net was trained with
 * `configs/emoji-features.json`.
 */
export const loadFeatures = (): Promise<Model> =>
  loadModel(fileURLToPath(new URL('./emoji-features', import.meta.url)));

/**
 * Runs organisms, and compares their later pictures with their pictures at the end of growth.
 *
 * @param grown the organisms at the end of growth
 * @param from the same organisms in the states from which to start, for example wounded
 * @param marks numbers of steps after which to compare pictures, ascending
 * @returns the likeness by number of steps
 */
export async function likenesses(
  batch: EvaluationBatch,
  grown: Grown,
  from: Grown,
  marks: readonly number[],
): Promise<Record<string, Likeness>> {
  const before = picturesOf(batch.card, grown.states);
  const size = before.length / grown.count;
  const errors = new Map(marks.map((mark) => [mark, new Float32Array(grown.count)]));
  await batch.follow(from, marks, (mark, states, first) => {
    const after = picturesOf(batch.card, states);
    const own = differences(after, before.subarray(first * size), after.length / size);
    errors.get(mark)!.set(own, first);
  });
  return Object.fromEntries([...errors].map(([mark, own]) => [`${mark}`, likeness(own)]));
}
