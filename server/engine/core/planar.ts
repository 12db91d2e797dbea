/** States as convolutions are fast on, [C, s, s]. */
import { divideInto } from '../../vnca/growth.ts';
import type { StateLayout } from './layout.ts';

export const planar = (channels: number): StateLayout => ({
  planar: true,
  seed(latent, stage) {
    const cells = stage * stage;
    const state = new Float32Array(cells * channels);
    for (let c = 0; c < channels; c++) state.fill(latent[c], c * cells, (c + 1) * cells);
    return state;
  },
  divideInto(target, offset, source, stage) {
    const cells = stage * stage;
    for (let c = 0; c < channels; c++) {
      const plane = source.subarray(c * cells, (c + 1) * cells);
      divideInto(target, offset + 4 * c * cells, plane, stage, 1);
    }
  },
  clear(states, offset, keep) {
    const cells = keep.length;
    for (let i = 0; i < cells; i++) {
      if (keep[i] !== 0) continue;
      for (let c = 0, at = offset + i; c < channels; c++, at += cells) states[at] = 0;
    }
  },
  export: (state) => transposed(state, channels, state.length / channels),
  import: (state) => transposed(state, state.length / channels, channels),
});

/** [rows, columns] → [columns, rows]. */
function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = matrix[i * columns + j];
  }
  return result;
}
