/** Turns states [s, s, C] into the groups of four channels [C/4, s, s, 4] that lie on the GPU, and back. */
import { groupsOf } from './plan.ts';

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
