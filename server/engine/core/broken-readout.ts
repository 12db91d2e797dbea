/** Read-outs of patches whose states hold NaN or infinity. */
import type { Readout } from '../engine.ts';

/** The read-out of such a patch: empty and not at rest. Overwrites the buffers of `readout`. */
export function brokenReadout(readout: Readout): Readout {
  readout.rgba.fill(0);
  readout.presence.fill(0);
  return { ...readout, change: 255, broken: true };
}
