/** Small changes that make few images more: mirror and shift. */
import type { Random } from '../../../shared/random.ts';

export interface Augmentation {
  /** Mirror left and right every second time. Not for text and digits. */
  readonly flip: boolean;
  /** Up to so many pixels to each side, up and down. */
  readonly shift: number;
}

/** Seed of one image's changes: 24 bits, so that a float32 holds it. */
export const newLook = (random: Random): number => random.integer(2 ** 24);

/**
 * Changes a batch in place, each image by its own chance.
 *
 * What comes in at an edge is empty for ink and premultiplied RGBA, and repeats the edge for RGB, which has no ground.
 * Two draws for the shift and one for the mirror are taken per image, whatever they give, so that a seed means the same.
 *
 * @param images [n, side, side, channels]
 * @throws RangeError the batch is not of that shape, or the shift is not an integer of 0 … side - 1
 */
export function augmentImages(
  images: Float32Array,
  { side, channels }: { readonly side: number; readonly channels: 1 | 3 | 4 },
  { flip, shift }: Augmentation,
  random: Random,
): void {
  const size = side * side * channels;
  if (images.length % size !== 0) {
    throw new RangeError(`${images.length} numbers are no batch of ${side}×${side}×${channels}`);
  }
  if (!Number.isInteger(shift) || shift < 0 || shift >= side) {
    throw new RangeError(`shift ${shift} is not an integer of 0 … ${side - 1}`);
  }
  const original = new Float32Array(size);
  for (let at = 0; at < images.length; at += size) {
    const dx = random.integer(2 * shift + 1) - shift;
    const dy = random.integer(2 * shift + 1) - shift;
    const mirror = random.uniform() < 0.5 && flip;
    if (dx === 0 && dy === 0 && !mirror) continue;
    const image = images.subarray(at, at + size);
    original.set(image);
    move(original, image, side, channels, mirror, dx, dy);
  }
}

function move(
  from: Float32Array,
  to: Float32Array,
  side: number,
  channels: number,
  mirror: boolean,
  dx: number,
  dy: number,
): void {
  const repeatEdge = channels === 3;
  const inside = (i: number) => (repeatEdge ? Math.min(Math.max(i, 0), side - 1) : i);
  for (let y = 0; y < side; y++) {
    const sourceY = inside(y - dy);
    for (let x = 0; x < side; x++) {
      const shifted = inside(x - dx);
      const sourceX = mirror ? side - 1 - shifted : shifted;
      const empty = sourceY < 0 || sourceY >= side || sourceX < 0 || sourceX >= side;
      const source = (sourceY * side + sourceX) * channels;
      const target = (y * side + x) * channels;
      for (let c = 0; c < channels; c++) to[target + c] = empty ? 0 : from[source + c];
    }
  }
}
