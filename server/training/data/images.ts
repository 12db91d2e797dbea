/** Copies of images as a network wants them. */
import type { Dataset } from './dataset.ts';

const FLOAT = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/**
 * Copies images to floats.
 *
 * @param indices into the set; repeats are fine
 * @param out is written and returned if given, of exactly the right length
 * @returns [indices.length, side, side, channels] in 0…1
 * @throws RangeError an index is not of the set, or `out` is of another length
 */
export function gatherImages(
  data: Pick<Dataset, 'side' | 'channels' | 'count' | 'pixels'>,
  indices: ArrayLike<number>,
  out?: Float32Array,
): Float32Array {
  const { pixels } = data;
  const size = data.side * data.side * data.channels;
  const images = out ?? new Float32Array(indices.length * size);
  if (images.length !== indices.length * size) {
    throw new RangeError(
      `${indices.length} images are ${indices.length * size} numbers, not ${images.length}`,
    );
  }
  for (let i = 0, to = 0; i < indices.length; i++) {
    const index = indices[i];
    if (!Number.isInteger(index) || index < 0 || index >= data.count) {
      throw new RangeError(`a set of ${data.count} images has no image ${index}`);
    }
    const from = index * size;
    for (let k = 0; k < size; k++) images[to++] = FLOAT[pixels[from + k]];
  }
  return images;
}
