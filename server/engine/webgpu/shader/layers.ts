/**
 * Generates the WGSL code of a net's layers. Each thread sums some units of some cells in
 * registers.
 */
import { MAX_GENOMES } from '../../../vnca/chimera.ts';
import type { Columns, Plan } from '../plan.ts';
import type { RecordLayout } from '../weights.ts';
import { COMPARES, DIVIDES, JOB_FIELDS, JOBS_AT, ROW } from '../work.ts';

/** Generates one line per index from 0 to n − 1, and joins the lines. */
export const each = (n: number, line: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => line(i)).join('\n');

/** Generates one line per cell and group of units that a thread holds, and joins the lines. */
export const eachSum = (
  plan: Plan,
  { perThread }: Columns,
  line: (cell: number, column: number) => string,
): string => each(plan.cellsPerThread, (j) => each(perThread, (p) => line(j, p)));

/**
 * Declares, for each cell j of a thread, its index i_j in the tile, its position x_j, y_j in the
 * patch, and its index h_j in the tile with its border.
 */
export function positionSource({ cellsPerThread, cellThreads, tileWidth }: Plan): string {
  return `
  let mine = thread % ${cellThreads}u;
  let share = thread / ${cellThreads}u;
${each(
  cellsPerThread,
  (j) => `  let i_${j} = mine + ${j * cellThreads}u;
  let x_${j} = tile.x + i32(i_${j} % ${tileWidth}u);
  let y_${j} = tile.y + i32(i_${j} / ${tileWidth}u);
  let h_${j} = (i_${j} / ${tileWidth}u) * ${tileWidth + 2}u + i_${j} % ${tileWidth}u;`,
)}`;
}

/** Declares the sums of a layer: `name`_j_p for cell j and group of units p. */
export const declareSums = (plan: Plan, columns: Columns, name: string): string =>
  eachSum(plan, columns, (j, p) => `  var ${name}_${j}_${p} = vec4f(0);`);

interface Rows {
  /** WGSL expression: number of input rows, in groups of four. */
  readonly count: string;
  /** Number of groups of rows that are staged together. */
  readonly atOnce: number;
  readonly columns: Columns;
  /**
   * WGSL statement that loads group `i` of the staged rows, which start at `k0`, into workgroup
   * memory.
   */
  readonly stage: string;
  /** WGSL expression: input group `k0 + k` of cell j. */
  readonly input: (cell: number) => string;
  readonly sums: string;
}

/** Adds weights × inputs to the sums, a few rows at a time. */
function multiplySource(plan: Plan, { count, atOnce, columns, stage, input, sums }: Rows): string {
  const { all, perThread } = columns;
  return `
  for (var k0 = 0u; k0 < ${count}; k0 += ${atOnce}u) {
    let rows = min(${atOnce}u, ${count} - k0);
    workgroupBarrier();
    for (var i = thread; i < rows * ${4 * all}u; i += THREADS) { ${stage} }
    workgroupBarrier();
    for (var k = 0u; k < rows; k++) {
${each(plan.cellsPerThread, (j) => `      let v_${j} = ${input(j)};`)}
      let w = k * ${4 * all}u + share * ${perThread}u;
${each(4, (lane) =>
  each(
    perThread,
    (p) => `      { let w_${p} = staged[w + ${lane * all + p}u];
${each(plan.cellsPerThread, (j) => `        ${sums}_${j}_${p} = fma(vec4f(v_${j}[${lane}]), w_${p}, ${sums}_${j}_${p});`)} }`,
  ),
)}
    }
  }`;
}

/** Sums the 3×3 convolution of perception. */
export function perceiveSource(plan: Plan, offset: number, sums: string): string {
  const { tileWidth, tileHeight, hiddenColumns: columns, perceived } = plan;
  const width = tileWidth + 2;
  const around = width * (tileHeight + 2);
  const rows = multiplySource(plan, {
    count: 'groups',
    atOnce: plan.perceiveRows,
    columns,
    stage: `staged[i] = weights[${offset}u + (tap * CHANNELS + c0 + k0) * ${4 * columns.all}u + i];`,
    input: (j) => `cells[(k0 + k) * ${around}u + h_${j} + rim]`,
    sums,
  });
  return `
  for (var c0 = 0u; c0 < CHANNELS; c0 += ${perceived}u) {
    let groups = min(${perceived}u, CHANNELS - c0);
    workgroupBarrier();
    for (var i = thread; i < groups * ${around}u; i += THREADS) {
      let cell = i % ${around}u;
      let x = tile.x + i32(cell % ${width}u) - 1;
      let y = tile.y + i32(cell / ${width}u) - 1;
      cells[i] = groupOf(job, sourceOf(job, x, y), c0 + i / ${around}u);
    }
    for (var tap = 0u; tap < 9u; tap++) {
      let rim = (tap / 3u) * ${width}u + tap % 3u;
${rows}
    }
  }`;
}

/**
 * Writes the thread's units, in variables `name`, to the memory where the next layer reads its
 * inputs.
 */
export const shareSource = (plan: Plan, name: string): string => `
  workgroupBarrier();
${eachSum(
  plan,
  plan.hiddenColumns,
  (j, p) =>
    `  cells[(share * ${plan.hiddenColumns.perThread}u + ${p}u) * ${plan.cells}u + i_${j}] = ${name}_${j}_${p};`,
)}`;

/**
 * Sums a hidden layer over the units that `shareSource` wrote last.
 *
 * @param offset expression for the offset of the layer's weights
 */
export const hiddenSource = (plan: Plan, offset: string, sums: string): string =>
  multiplySource(plan, {
    count: `${plan.hidden}u`,
    atOnce: plan.hiddenRows,
    columns: plan.hiddenColumns,
    stage: `staged[i] = weights[${offset} + k0 * ${4 * plan.hiddenColumns.all}u + i];`,
    input: (j) => `cells[(k0 + k) * ${plan.cells}u + i_${j}]`,
    sums,
  });

/**
 * Sums the last layer. If genomes have their own weights, these replace the common weights for the
 * first groups of channels.
 */
export function outSource(
  plan: Plan,
  offset: number,
  sums: string,
  { own, ownGroups }: Pick<RecordLayout, 'own' | 'ownGroups'>,
): string {
  const columns = plan.outColumns;
  const common = `staged[i] = weights[${offset}u + k0 * ${4 * columns.all}u + i];`;
  const theirs = `
      let column = i % ${columns.all}u;
      if (column < ${ownGroups}u) {
        let row = 4u * k0 + i / ${columns.all}u;
        staged[i] = records[record + ${own}u + row * ${ownGroups}u + column];
      } else { ${common} }`;
  return multiplySource(plan, {
    count: `${plan.hidden}u`,
    atOnce: plan.outRows,
    columns,
    stage: ownGroups > 0 ? theirs : common,
    input: (j) => `cells[(k0 + k) * ${plan.cells}u + i_${j}]`,
    sums,
  });
}

/** The buffers in the order of their bindings, and whether kernels write to them. */
export const BINDINGS = [
  { name: 'states', type: 'array<vec4f>', written: true },
  { name: 'seen', type: 'array<u32>', written: true },
  { name: 'answers', type: 'array<atomic<u32>>', written: true },
  { name: 'records', type: 'array<vec4f>', written: false },
  { name: 'weights', type: 'array<vec4f>', written: false },
  { name: 'work', type: 'array<u32>', written: false },
] as const;

/** Declares the constants, buffers and functions that every kernel starts with. */
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
/** The job of a workgroup, the genomes that count in its tile, and its position in the patch. */
struct Tile { job: Job, genomes: u32, x: i32, y: i32 }

fn tileCount() -> u32 { return work[0]; }
fn tileIndex(group: vec3u) -> u32 { return group.y * ${ROW}u + group.x; }

fn tileAt(index: u32) -> Tile {
  let at = work[1] + 2u * index;
  let place = work[at + 1u];
  let job = ${JOBS_AT}u + ${JOB_FIELDS.length}u * (work[at] >> ${MAX_GENOMES}u);
  return Tile(
    Job(${JOB_FIELDS.map((_, i) => `work[job + ${i}u]`).join(', ')}),
    work[at] & ${2 ** MAX_GENOMES - 1}u, i32(place & 0xffffu), i32(place >> 16u));
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

/** WGSL of the finalizer of MurmurHash3. */
const MIX = `
fn mix32(bits: u32) -> u32 {
  var h = bits;
  h = (h ^ (h >> 16u)) * 0x85ebca6bu;
  h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
  return h ^ (h >> 16u);
}
`;

/**
 * Declares `takesPart(seed, cell)`, which decides whether a cell is updated. @param probability 0…1
 */
export const chanceSource = (probability: number): string => `${MIX}
fn takesPart(seed: u32, cell: u32) -> bool {
  // 24 bits: as many as a float32 keeps.
  return f32(mix32(seed + mix32(cell + 0x9e3779b9u)) >> 8u) < ${probability} * 16777216.0;
}
`;

/**
 * Generates a kernel that runs before the step and writes each patch's random seed, a hash of its
 * state, to the head of its answer.
 */
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
