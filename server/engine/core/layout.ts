/** How a backend keeps the numbers of a state, so that no step has to turn them round. */

export interface StateLayout {
  /** Whether each channel is a plane of its own, [C, s, s]; else the channels of a cell lie together, [s, s, C]. */
  readonly planar: boolean;
  /** A new patch, every cell alike. @param latent [Z], Z ≥ C */
  seed(latent: Float32Array, stage: number): Float32Array;
  /** Every cell becomes 2×2 copies of itself: from a state of side `stage` into `target`, at `offset`. */
  divideInto(target: Float32Array, offset: number, source: Float32Array, stage: number): void;
  /** Sets cells to zero where `keep` [s, s] is 0, in the state at `offset`. */
  clear(states: Float32Array, offset: number, keep: Uint8Array): void;
  /** A state as the engine's callers have it, [s, s, C]; a copy. */
  export(state: Float32Array): Float32Array;
  /** The reverse; a copy. */
  import(state: Float32Array): Float32Array;
}
