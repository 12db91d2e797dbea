/** Data augmentation: mirroring and shifting. */
import type { Random } from '../../../shared/random.ts';

/** Which augmentations are applied. */
export interface Augmentation {
  /** Mirror left and right with probability ½. Not for text and digits. */
  readonly flip: boolean;
  /** Largest shift in each direction, pixels. */
  readonly shift: number;
}

/** Draws the seed of one image's augmentation: 24 bits, so that a float32 can store it. */
export const newLook = (random: Random): number => random.integer(2 ** 24);

/**
 * Changes a batch in place, each image independently.
 *
 * A shift fills in empty pixels for ink and premultiplied RGBA, and repeats the edge for RGB, which
 * has no empty pixels. Each image uses three random numbers whatever their values, so that a seed
 * always means the same.
 *
 * @param images [n, side, side, channels]
 */
export function augmentImages(
  images: Float32Array,
  { side, channels }: { readonly side: number; readonly channels: 1 | 3 | 4 },
  { flip, shift }: Augmentation,
  random: Random,
): void {
  const size = side * side * channels;
  const inside = (i: number) => (channels === 3 ? Math.min(Math.max(i, 0), side - 1) : i);
  const original = new Float32Array(size);
  for (let from = 0; from < images.length; from += size) {
    const dx = random.integer(2 * shift + 1) - shift;
    const dy = random.integer(2 * shift + 1) - shift;
    const mirror = random.uniform() < 0.5 && flip;
    if (dx === 0 && dy === 0 && !mirror) continue;
    const image = images.subarray(from, from + size);
    original.set(image);
    for (let cell = 0; cell < side * side; cell++) {
      const [x, y] = [cell % side, Math.floor(cell / side)];
      const sourceY = inside(y - dy);
      const shifted = inside(x - dx);
      const sourceX = mirror ? side - 1 - shifted : shifted;
      const empty = sourceY < 0 || sourceY >= side || sourceX < 0 || sourceX >= side;
      const source = (sourceY * side + sourceX) * channels;
      for (let c = 0; c < channels; c++) {
        image[cell * channels + c] = empty ? 0 : original[source + c];
      }
    }
  }
}
