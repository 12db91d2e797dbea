/** Converts states between [s, s, C] and the GPU's layout, [C/4, s, s, 4]. */
import { groupsOf } from './plan.ts';

/** [s, s, C] → [C/4, s, s, 4], padded with zeros. */
export function toGroups(state: Float32Array, stage: number, channels: number): Float32Array {
  const cells = stage * stage;
  const groups = new Float32Array(groupsOf(channels) * cells * 4);
  for (let cell = 0; cell < cells; cell++) {
    for (let c = 0; c < channels; c++) {
      groups[((c >> 2) * cells + cell) * 4 + (c & 3)] = state[cell * channels + c];
    }
  }
  return groups;
}

/** [C/4, s, s, 4] → [s, s, C]. */
export function fromGroups(groups: Float32Array, stage: number, channels: number): Float32Array {
  const cells = stage * stage;
  const state = new Float32Array(cells * channels);
  for (let cell = 0; cell < cells; cell++) {
    for (let c = 0; c < channels; c++) {
      state[cell * channels + c] = groups[((c >> 2) * cells + cell) * 4 + (c & 3)];
    }
  }
  return state;
}
