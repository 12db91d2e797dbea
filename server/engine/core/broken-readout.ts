/** Read-outs of patches whose states hold NaN or infinity. */
import type { Readout } from '../engine.ts';

/** Whether every value is a finite number. */
export function allFinite(values: Float32Array): boolean {
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

/** The read-out of such a patch: empty and not at rest. Overwrites the buffers of `readout`. */
export function brokenReadout(readout: Readout): Readout {
  readout.rgba.fill(0);
  readout.presence.fill(0);
  return { ...readout, change: 255, broken: true };
}
