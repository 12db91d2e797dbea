/** Whether an organism looks more like its own image than like that of any other. */

/**
 * Finds organisms whose own image is the nearest.
 *
 * @param pictures [N, …], 0…1
 * @param own index of the own image of each, [N]
 * @param images [M, …]
 * @param count M
 * @returns [N]
 */
export function areRetrieved(
  pictures: Float32Array,
  own: ArrayLike<number>,
  images: Float32Array,
  count: number,
): boolean[] {
  const size = images.length / count;
  return Array.from({ length: own.length }, (_, n) => {
    const picture = pictures.subarray(n * size, (n + 1) * size);
    const limit = distance(picture, images.subarray(own[n] * size, (own[n] + 1) * size), Infinity);
    for (let m = 0; m < count; m++) {
      if (m === own[n]) continue;
      const other = images.subarray(m * size, (m + 1) * size);
      if (distance(picture, other, limit) < limit) return false;
    }
    return true;
  });
}

/** Sum of squared differences; what exceeds the limit need not be exact. */
function distance(a: Float32Array, b: Float32Array, limit: number): number {
  let sum = 0;
  for (let i = 0; i < a.length && sum < limit; i++) sum += (a[i] - b[i]) ** 2;
  return sum;
}
