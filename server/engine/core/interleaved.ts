/** States as the world outside has them, [s, s, C]. */
import { divideInto, seedState } from '../../vnca/growth.ts';
import type { StateLayout } from './layout.ts';

export const interleaved = (channels: number): StateLayout => ({
  planar: false,
  seed: (latent, stage) => seedState(latent, stage, channels),
  divideInto: (target, offset, source, stage) =>
    divideInto(target, offset, source, stage, channels),
  clear(states, offset, keep) {
    for (let i = 0, at = offset; i < keep.length; i++, at += channels) {
      if (keep[i] === 0) states.fill(0, at, at + channels);
    }
  },
  export: (state) => state.slice(),
  import: (state) => state.slice(),
});
