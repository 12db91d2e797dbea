/** Reads out one patch, and notices when its rule has diverged. */
import { createReadout, type Visible } from '../../vnca/readout.ts';

/**
 * Reads a patch out.
 *
 * @param state [s, s, C], or [C, s, s] for a planar backend
 * @param rgba [s, s, 4], overwritten
 * @param presence [s, s], overwritten
 * @returns whether every value of the state is a finite number
 */
export type ReadPatch = (state: Float32Array, rgba: Uint8Array, presence: Uint8Array) => boolean;

/** The read-out of a card's patches. @param planar whether states are [C, s, s] */
export function readerOf(card: Visible, planar: boolean): ReadPatch {
  const read = createReadout(card, planar);
  return (state, rgba, presence) => {
    read(state, 0, rgba, presence);
    return allFinite(state);
  };
}

/** Whether every value is a finite number. */
function allFinite(values: Float32Array): boolean {
  // A sum of float32 values cannot overflow a float64, so it is finite exactly if they all are.
  // Four independent sums make this several times faster than testing each value.
  let [a, b, c, d] = [0, 0, 0, 0];
  const unrolled = values.length - (values.length % 4);
  for (let i = 0; i < unrolled; i += 4) {
    a += values[i];
    b += values[i + 1];
    c += values[i + 2];
    d += values[i + 3];
  }
  for (let i = unrolled; i < values.length; i++) a += values[i];
  return Number.isFinite(a + b + c + d);
}
