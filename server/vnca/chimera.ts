/**
 * Chimeras: patches whose cells read different genomes. A chimera's step is computed once with each
 * genome. A cell's new state is the weighted mean of the results; the weights depend on the genomes
 * that the cell and its neighbours read.
 */

/** Maximum number of genomes in one patch. */
export const MAX_GENOMES = 4;

/** The genomes that the cells of a patch read. */
export interface Genomes {
  /** The latent of each genome, [Z]. There are 1…`MAX_GENOMES` genomes. */
  readonly latents: readonly Float32Array[];
  /**
   * For each cell of the fully grown patch, the index in `latents` of the genome that the cell
   * reads, [S, S]. Absent if there is only one genome.
   */
  readonly labels?: Uint8Array | undefined;
}

/** Weights for blurring: binomial coefficients for a cell and its two neighbours on each side. */
const BLUR = [1, 4, 6, 4, 1] as const;
const RADIUS = 2;

/**
 * Computes how much each genome contributes to each cell, so that the parts of a chimera blend into
 * each other. A genome's mask is 1 for cells that read the genome, else 0. Each mask is blurred
 * with the factors 1, 4, 6, 4, 1, first along columns and then along rows. Beyond the patch's
 * edges, the cells at the edges are repeated. The weights of a cell add up to exactly 1.
 *
 * @param labels for each cell of the fully grown patch, the index of its genome, [S, S]
 * @param count number of genomes
 * @param stage side s of the result, in cells; S / s must be a power of two. If s < S, each weight
 * is a mean over (S / s)² cells of the fully grown patch
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
      // Write out the five terms of the blur, because a loop would take several times as long.
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
 * Computes the weighted mean of several new states of a patch, each computed with another genome.
 * If only one genome contributes to a cell, the result is exactly the cell's state with this
 * genome.
 *
 * @param steps the new states, one per genome, in any layout; undefined for a genome that
 * contributes to no cell
 * @param weights how much each genome contributes to each cell, [genomes, s, s]
 * @param strides.cells distance between neighbouring cells in a state, in values
 * @param strides.channels distance between neighbouring channels in a state, in values
 * @param after receives the weighted mean, in the layout of `steps`
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
  // Start each sum with −0, because a state of −0 must stay −0, but 0 + (−0) would be 0.
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
