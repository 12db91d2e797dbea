/** The memory layouts of states. Each backend keeps states as its library computes them fastest. */
import { divideInto } from '../../vnca/architecture.ts';

/** How the values of a state are laid out. */
export type StateLayout = ReturnType<typeof stateLayout>;

/**
 * The layout of states of so many channels.
 *
 * @param planar whether each channel is a plane, [C, s, s], on which convolutions are fastest;
 *   otherwise [s, s, C], the layout of the engine's callers
 */
export const stateLayout = (channels: number, planar: boolean) => ({
  /** Divides every cell of a state into 2×2 copies, written to `target` at `offset`. */
  divideInto(target: Float32Array, offset: number, source: Float32Array): void {
    const planes = planar ? channels : 1;
    const size = source.length / planes;
    for (let p = 0; p < planes; p++) {
      const plane = source.subarray(p * size, (p + 1) * size);
      divideInto(target, offset + 4 * p * size, plane, channels / planes);
    }
  },
  /** Sets cells to zero where a mask [s, s] says so, in the state at `offset`. */
  clear(
    states: Float32Array,
    offset: number,
    { mask, where }: { readonly mask: Uint8Array; readonly where: 'zero' | 'set' },
  ): void {
    const [toCell, toChannel] = planar ? [1, mask.length] : [channels, 1];
    const hit: number[] = [];
    for (let i = 0; i < mask.length; i++) {
      if ((mask[i] === 0) === (where === 'zero')) hit.push(offset + i * toCell);
    }
    // Plane by plane, as the cells of one plane lie close together.
    for (let c = 0; c < channels; c++) for (const at of hit) states[at + c * toChannel] = 0;
  },
  /** Copies a state to [s, s, C]. */
  export: (state: Float32Array): Float32Array =>
    planar ? transposed(state, channels, state.length / channels) : state.slice(),
  /** Copies a state from [s, s, C]. */
  import: (state: Float32Array): Float32Array =>
    planar ? transposed(state, state.length / channels, channels) : state.slice(),
});

/** [rows, columns] → [columns, rows]. */
function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = matrix[i * columns + j];
  }
  return result;
}
