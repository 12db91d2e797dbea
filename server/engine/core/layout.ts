/** The memory layouts of states. Each backend keeps states as its library computes them fastest. */
import { divideInto, seedState } from '../../vnca/growth.ts';

/** How the values of a state [s, s, C] are laid out. */
export interface StateLayout {
  /** Whether each channel is a plane, [C, s, s]; otherwise [s, s, C]. */
  readonly planar: boolean;
  /** State of a new patch, all cells equal. @param latent [Z], Z ≥ C */
  seed(latent: Float32Array, stage: number): Float32Array;
  /** Divides every cell of a state into 2×2 copies, written to `target` at `offset`. */
  divideInto(target: Float32Array, offset: number, source: Float32Array): void;
  /** Sets cells to zero where `keep` [s, s] is 0, in the state at `offset`. */
  clear(states: Float32Array, offset: number, keep: Uint8Array): void;
  /** Copies a state to [s, s, C]. */
  export(state: Float32Array): Float32Array;
  /** Copies a state from [s, s, C]. */
  import(state: Float32Array): Float32Array;
}

/** [s, s, C]: the layout of the engine's callers. */
export const interleaved = (channels: number): StateLayout => ({
  planar: false,
  seed: (latent, stage) => seedState(latent, stage, channels),
  divideInto: (target, offset, source) => divideInto(target, offset, source, channels),
  clear(states, offset, keep) {
    for (let i = 0, at = offset; i < keep.length; i++, at += channels) {
      if (keep[i] === 0) states.fill(0, at, at + channels);
    }
  },
  export: (state) => state.slice(),
  import: (state) => state.slice(),
});

/** [C, s, s]: the layout that convolutions are fastest on. */
export const planar = (channels: number): StateLayout => ({
  planar: true,
  seed(latent, stage) {
    const cells = stage * stage;
    const state = new Float32Array(cells * channels);
    for (let c = 0; c < channels; c++) state.fill(latent[c], c * cells, (c + 1) * cells);
    return state;
  },
  divideInto(target, offset, source) {
    const cells = source.length / channels;
    for (let c = 0; c < channels; c++) {
      const plane = source.subarray(c * cells, (c + 1) * cells);
      divideInto(target, offset + 4 * c * cells, plane, 1);
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
