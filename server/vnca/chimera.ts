/**
 * Chimeras: patches whose cells read different genomes. A step computes each cell's next state once
 * with every genome, and takes the weighted mean of these states.
 */

/** Maximum number of genomes of a patch. */
export const MAX_GENOMES = 4;

/** The genomes that the cells of a patch read. */
export interface Genomes {
  /** The latents of the genomes, 1…`MAX_GENOMES` of them, [Z] each. */
  readonly latents: readonly Float32Array[];
  /**
   * For each cell of the fully grown patch, the index in `latents` of the genome that the cell
   * reads, [S, S]. Absent if there is only one genome.
   */
  readonly labels?: Uint8Array | undefined;
}

/**
 * Binomial weights for blurring labels, for the positions from two cells left to two cells right of
 * a cell.
 */
const BLUR = [1, 4, 6, 4, 1] as const;
const RADIUS = 2;

/**
 * Computes the weight of each genome for each cell. Labels are blurred over two cells with the
 * factors 1, 4, 6, 4, 1 along rows and columns, so that the parts of a chimera melt into each
 * other. Outside the patch, the labels of its rim continue. The weights are exact and their sum is
 * 1, because all sums are whole numbers and the only division is by a power of two.
 *
 * @param labels [S, S]
 * @param count number of genomes
 * @param stage side s of the result; S is s times a power of two. If s < S, a cell's weight is the
 * mean over the cells into which the cell will divide
 * @returns [count, s, s], 0…1
 */
export function genomeWeights(labels: Uint8Array, count: number, stage: number): Float32Array {
  const side = Math.sqrt(labels.length);
  const block = side / stage;
  const shift = Math.log2(block);
  const wide = side + 2 * RADIUS;
  const sums = new Int32Array(count * stage * stage);
  const rows = new Int32Array(count * wide);
  for (let y = 0; y < side; y++) {
    rows.fill(0);
    for (const [i, factor] of BLUR.entries()) {
      const from = Math.min(Math.max(0, y + i - RADIUS), side - 1) * side;
      for (let x = 0; x < side; x++) rows[labels[from + x] * wide + RADIUS + x] += factor;
    }
    for (let genome = 0; genome < count; genome++) {
      const row = rows.subarray(genome * wide, (genome + 1) * wide);
      row.fill(row[RADIUS], 0, RADIUS).fill(row[side + RADIUS - 1], side + RADIUS);
      const to = (genome * stage + (y >> shift)) * stage;
      // Add the five terms of the blur without a loop, because a loop takes several times as long.
      for (let x = 0; x < side; x++) {
        const sum = row[x] + row[x + 4] + 4 * (row[x + 1] + row[x + 3]) + 6 * row[x + 2];
        sums[to + (x >> shift)] += sum;
      }
    }
  }
  const whole = 256 * block * block;
  return new Float32Array(sums).map((sum) => sum / whole);
}

/**
 * Computes the weighted mean of several new states of a patch, each computed with a different
 * genome. The states are added in the order of the genomes. If a cell reads only one genome, the
 * result is exactly the state with that genome.
 *
 * @param steps the states after a step with each genome, in any layout; undefined for genomes whose
 * weight is zero in every cell
 * @param weights [genomes, s, s], as `genomeWeights` computes them
 * @param strides.cells number of values between two cells of a state
 * @param strides.channels number of values between two channels of a state
 * @param after [s, s, C], in the layout of `steps`, overwritten
 */
export function mixSteps(
  steps: readonly (Float32Array | undefined)[],
  weights: Float32Array,
  strides: { readonly cells: number; readonly channels: number },
  after: Float32Array,
): void {
  const cells = weights.length / steps.length;
  const channels = after.length / cells;
  const { fround } = Math;
  // Start the sum with −0, because 0 would change a state of −0 to 0.
  after.fill(-0);
  for (const [genome, step] of steps.entries()) {
    if (!step) continue;
    for (let cell = 0; cell < cells; cell++) {
      const weight = weights[genome * cells + cell];
      if (weight === 0) continue;
      let at = cell * strides.cells;
      for (let c = 0; c < channels; c++, at += strides.channels) {
        after[at] = fround(after[at] + fround(weight * step[at]));
      }
    }
  }
}
