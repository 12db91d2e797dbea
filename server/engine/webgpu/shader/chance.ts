/**
 * Which cells a step updates, for rules with stochastic updates. As in vnca/update-mask.ts the
 * state is the seed, so that a patch steps identically in any batch. The draws differ, since here
 * they are parallel.
 */
import type { Plan } from '../plan.ts';
import { commonSource } from './common.ts';

/** The finalizer of MurmurHash3. */
const MIX = `
fn mix32(bits: u32) -> u32 {
  var h = bits;
  h = (h ^ (h >> 16u)) * 0x85ebca6bu;
  h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
  return h ^ (h >> 16u);
}
`;

/** Declares `takesPart(seed, cell)`. @param probability 0…1 */
export const chanceSource = (probability: number): string => `${MIX}
fn takesPart(seed: u32, cell: u32) -> bool {
  // 24 bits: as many as a float32 keeps.
  return f32(mix32(seed + mix32(cell + 0x9e3779b9u)) >> 8u) < ${probability} * 16777216.0;
}
`;

/** The kernel that runs before the step and writes each patch's seed to the head of its answer. */
export function seedSource(plan: Plan): string {
  const { cells, tileWidth } = plan;
  return `${commonSource(plan)}${MIX}
@compute @workgroup_size(${plan.threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = tileIndex(group);
  if (index >= tileCount()) { return; }
  let tile = tileAt(index);
  let job = tile.job;
  var hash = 0u;
  for (var i = thread; i < ${cells}u; i += THREADS) {
    let x = tile.x + i32(i % ${tileWidth}u);
    let y = tile.y + i32(i / ${tileWidth}u);
    if (!inside(job, x, y)) { continue; }
    let cell = u32(y) * job.side + u32(x);
    let source = sourceOf(job, x, y);
    for (var c = 0u; c < CHANNELS; c++) {
      let bits = bitcast<vec4u>(groupOf(job, source, c));
      for (var k = 0u; k < 4u; k++) {
        // Hashed with its position, since the sum does not depend on the order.
        hash += mix32(bits[k] ^ mix32((cell * CHANNELS + c) * 4u + k + 1u));
      }
    }
  }
  atomicAdd(&answers[job.answer + 1u], hash);
}
`;
}
