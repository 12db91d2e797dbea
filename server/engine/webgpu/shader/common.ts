/** The common part of all kernels of a net: bindings, jobs, and access to the states of a cell. */
import type { Plan } from '../plan.ts';
import { COMPARES, DIVIDES, JOB_FIELDS, JOBS_AT, ROW } from '../work.ts';

/** The buffers in order of their bindings, and whether kernels write to them. */
export const BINDINGS = [
  { name: 'states', type: 'array<vec4f>', written: true },
  { name: 'seen', type: 'array<u32>', written: true },
  { name: 'answers', type: 'array<atomic<u32>>', written: true },
  { name: 'records', type: 'array<vec4f>', written: false },
  { name: 'weights', type: 'array<vec4f>', written: false },
  { name: 'work', type: 'array<u32>', written: false },
] as const;

/** The declarations that every kernel starts with. */
export function commonSource({ channels, threads }: Plan): string {
  const buffers = BINDINGS.map(
    ({ name, type, written }, i) =>
      `@group(0) @binding(${i}) var<storage, ${written ? 'read_write' : 'read'}> ${name}: ${type};`,
  );
  return `
const CHANNELS = ${channels}u;
const THREADS = ${threads}u;
${buffers.join('\n')}

struct Job { ${JOB_FIELDS.map((field) => `${field}: u32`).join(', ')} }
/** The job of a workgroup and its position in the patch. */
struct Tile { job: Job, x: i32, y: i32 }

fn tileCount() -> u32 { return work[0]; }
fn tileIndex(group: vec3u) -> u32 { return group.y * ${ROW}u + group.x; }

fn tileAt(index: u32) -> Tile {
  let at = work[1] + 2u * index;
  let place = work[at + 1u];
  let job = ${JOBS_AT}u + ${JOB_FIELDS.length}u * work[at];
  return Tile(
    Job(${JOB_FIELDS.map((_, i) => `work[job + ${i}u]`).join(', ')}),
    i32(place & 0xffffu), i32(place >> 16u));
}

fn divides(job: Job) -> u32 { return job.flags & ${DIVIDES}u; }
fn compares(job: Job) -> bool { return (job.flags & ${COMPARES}u) != 0u; }

fn inside(job: Job, x: i32, y: i32) -> bool {
  return x >= 0 && y >= 0 && x < i32(job.side) && y < i32(job.side);
}

/** The source of a cell outside its patch or cleared by the mask. */
const BARE = 0xffffffffu;

/** Whether a cell is set in the mask that lies there. */
fn isSet(mask: u32, cell: u32) -> bool {
  return (work[mask + (cell >> 5u)] & (1u << (cell & 31u))) != 0u;
}

/** Whether a cell is zero before and after the step. */
fn isClosed(job: Job, cell: u32) -> bool { return job.closed != 0u && isSet(job.closed, cell); }

/** Offset of the states that a cell has before its step: divided, then masked. */
fn sourceOf(job: Job, x: i32, y: i32) -> u32 {
  if (!inside(job, x, y)) { return BARE; }
  let cell = u32(y) * job.side + u32(x);
  if (job.keep != 0u && !isSet(job.keep, cell)) { return BARE; }
  if (isClosed(job, cell)) { return BARE; }
  return job.source + (u32(y) >> divides(job)) * (job.side >> divides(job)) + (u32(x) >> divides(job));
}

/** Four channels of a cell. */
fn groupOf(job: Job, source: u32, group: u32) -> vec4f {
  if (source == BARE) { return vec4f(0); }
  let side = job.side >> divides(job);
  return states[source + group * side * side];
}
`;
}
