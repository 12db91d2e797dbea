/**
 * Precision and recall of a generator, by nearest neighbours (Kynkäänniemi et al. 2019). A set's
 * manifold is the union of balls around its members, each as wide as the distance to the k-th
 * nearest other member.
 */

/** Neighbours that set the radius of a ball, as in the paper. */
const NEIGHBOURS = 3;

/**
 * Compares two sets.
 *
 * @param real features of pictures, [N, size]
 * @param made features of what was generated, [M, size]
 * @returns `precision`: share of the made within the manifold of the real; `recall`: share of the
 *   real within that of the made
 * @throws RangeError one of the sets has no more than three members
 */
export function precisionAndRecall(real: Float32Array, made: Float32Array, size: number) {
  return { precision: covered(made, real, size), recall: covered(real, made, size) };
}

/** Share of `points` within the manifold of `set`. */
function covered(points: Float32Array, set: Float32Array, size: number): number {
  const radii = radiiOf(set, size);
  const count = points.length / size;
  let inside = 0;
  for (let n = 0; n < count; n++) {
    if (radii.some((radius, m) => squaredDistance(points, n, set, m, size) <= radius)) inside++;
  }
  return inside / count;
}

/** Squared distance of each member to its k-th nearest other. */
function radiiOf(set: Float32Array, size: number): Float64Array {
  const count = set.length / size;
  if (count <= NEIGHBOURS) throw new RangeError(`a set of ${count} has no manifold`);
  return Float64Array.from({ length: count }, (_, n) => {
    const distances = Float64Array.from({ length: count }, (_, m) =>
      m === n ? Infinity : squaredDistance(set, n, set, m, size),
    ).sort();
    return distances[NEIGHBOURS - 1];
  });
}

function squaredDistance(
  a: Float32Array,
  n: number,
  b: Float32Array,
  m: number,
  size: number,
): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += (a[n * size + i] - b[m * size + i]) ** 2;
  return sum;
}
