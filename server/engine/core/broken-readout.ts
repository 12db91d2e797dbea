/** Patches whose states have left the numbers. */
import type { Readout } from '../engine.ts';

/** Whether every value is a finite number. */
export function allFinite(values: Float32Array): boolean {
  // No finite float32 values are enough to overflow a float64, so the sum is finite exactly if they all are. Four sums
  // need not wait for each other, which makes this several times faster than asking each value.
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += values[i];
    b += values[i + 1];
    c += values[i + 2];
    d += values[i + 3];
  }
  for (let i = whole; i < values.length; i++) a += values[i];
  return Number.isFinite(a + b + c + d);
}

/** What such a patch reads: nothing is left to see, and it is not at rest. Takes the buffers over. */
export function brokenReadout(readout: Readout): Readout {
  readout.rgba.fill(0);
  readout.presence.fill(0);
  return { ...readout, change: 255, broken: true };
}
