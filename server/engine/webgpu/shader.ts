/**
 * Generates the WGSL code of the kernels. The main kernel computes a patch's new states and
 * picture.
 */
import { trunkOf } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import { MAX_GENOMES } from '../../vnca/chimera.ts';
import type { Visible } from '../../vnca/readout.ts';
import {
  ANSWER_HEAD,
  BROKEN,
  COMPARES,
  type Columns,
  DIVIDES,
  JOB_FIELDS,
  JOBS_AT,
  type Plan,
  type RecordLayout,
  ROW,
} from './plan.ts';

/** Generates a line of code for each index from 0 to n − 1, and joins the lines. */
const each = (n: number, line: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => line(i)).join('\n');

/**
 * Generates a line of code for each cell j and each group of units p that a thread computes, and
 * joins the lines.
 */
const eachSum = (
  plan: Plan,
  { perThread }: Columns,
  line: (cell: number, column: number) => string,
): string => each(plan.cellsPerThread, (j) => each(perThread, (p) => line(j, p)));

/**
 * Generates WGSL that declares, for each cell j of a thread: its index in the tile (i_j), its
 * position in the patch (x_j, y_j), and its index in the tile with border (h_j).
 */
function positionSource({ cellsPerThread, cellThreads, tileWidth }: Plan): string {
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

/**
 * Generates WGSL that declares a layer's sums, the variables `name`_j_p for cell j and group of
 * units p.
 */
const declareSums = (plan: Plan, columns: Columns, name: string): string =>
  eachSum(plan, columns, (j, p) => `  var ${name}_${j}_${p} = vec4f(0);`);

/**
 * Generates WGSL that adds weights × inputs to a layer's sums, the variables `sums`_j_p for cell j
 * and group of units p. Each input has a row of weights. The WGSL copies a few groups of four rows
 * to workgroup memory, uses them, and goes on to the next. `k0` is the first of these groups, and
 * `k` counts the groups from `k0`.
 *
 * @param rows.count WGSL expression: number of groups of rows
 * @param rows.atOnce number of groups of rows to copy at a time
 * @param rows.stage WGSL statement that copies one element. `i` is the element's index, counted
 *   from the first row of group `k0`
 * @param rows.sums first part of the sums' names
 * @param input returns a WGSL expression for group `k0 + k` of a cell's inputs
 */
function multiplySource(
  plan: Plan,
  { all, perThread }: Columns,
  rows: Readonly<Record<'count' | 'stage' | 'sums', string>> & { readonly atOnce: number },
  input: (cell: number) => string,
): string {
  const { count, atOnce, stage, sums } = rows;
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

/**
 * Generates WGSL that computes perception, a 3×3 convolution, and adds the results to the sums
 * h_j_p for cell j and group of units p.
 *
 * @param offset where the layer's weights begin, in groups of four values
 */
function perceiveSource(plan: Plan, offset: number): string {
  const { tileWidth, tileHeight, hiddenColumns, perceived, perceiveRows: atOnce } = plan;
  const width = tileWidth + 2;
  const around = width * (tileHeight + 2);
  const stage = `staged[i] = weights[${offset}u + (tap * CHANNELS + c0 + k0) * ${4 * hiddenColumns.all}u + i];`;
  const rows = multiplySource(
    plan,
    hiddenColumns,
    { count: 'groups', atOnce, stage, sums: 'h' },
    (j) => `cells[(k0 + k) * ${around}u + h_${j} + rim]`,
  );
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
 * Generates WGSL that copies a thread's results to workgroup memory, from which all threads read
 * the inputs of the next layer. The results are `name`_j_p for cell j and group of units p.
 */
const shareSource = (plan: Plan, name: string): string => `
  workgroupBarrier();
${eachSum(
  plan,
  plan.hiddenColumns,
  (j, p) =>
    `  cells[(share * ${plan.hiddenColumns.perThread}u + ${p}u) * ${plan.cells}u + i_${j}] = ${name}_${j}_${p};`,
)}`;

/**
 * Generates WGSL that computes a layer after perception. The inputs are the previous layer's
 * results, which `shareSource` wrote to workgroup memory. A hidden layer adds its results to the
 * sums u_j_p, the last layer to the sums c_j_p, for cell j and group of units p.
 *
 * @param offset WGSL expression: where the layer's weights begin, in groups of four values
 * @param last given only for the last layer, whose first `ownGroups` groups of channels use the
 *   genome's own weights
 */
function laterSource(plan: Plan, offset: string, last?: Pick<RecordLayout, 'own' | 'ownGroups'>) {
  const [columns, atOnce] = last
    ? [plan.outColumns, plan.outRows]
    : [plan.hiddenColumns, plan.hiddenRows];
  const { all } = columns;
  const common = `staged[i] = weights[${offset} + k0 * ${4 * all}u + i];`;
  const stage = !last?.ownGroups
    ? common
    : `
      let column = i % ${all}u;
      if (column < ${last.ownGroups}u) {
        let row = 4u * k0 + i / ${all}u;
        staged[i] = records[record + ${last.own}u + row * ${last.ownGroups}u + column];
      } else { ${common} }`;
  return multiplySource(
    plan,
    columns,
    { count: `${plan.hidden}u`, atOnce, stage, sums: last ? 'c' : 'u' },
    (j) => `cells[(k0 + k) * ${plan.cells}u + i_${j}]`,
  );
}

/** The GPU buffers, in binding order. `written`: whether kernels write to the buffer. */
export const BINDINGS = [
  { name: 'states', type: 'array<vec4f>', written: true },
  { name: 'seen', type: 'array<u32>', written: true },
  { name: 'answers', type: 'array<atomic<u32>>', written: true },
  { name: 'records', type: 'array<vec4f>', written: false },
  { name: 'weights', type: 'array<vec4f>', written: false },
  { name: 'work', type: 'array<u32>', written: false },
] as const;

/** Generates the beginning of all kernels: constants, buffers and functions. */
function commonSource({ channels, threads }: Plan): string {
  const buffers = BINDINGS.map(
    ({ name, type, written }, i) =>
      `@group(0) @binding(${i}) var<storage, ${written ? 'read_write' : 'read'}> ${name}: ${type};`,
  );
  return `
const CHANNELS = ${channels}u;
const THREADS = ${threads}u;
${buffers.join('\n')}

struct Job { ${JOB_FIELDS.map((field) => `${field}: u32`).join(', ')} }
/**
 * A workgroup's tile: its job (the step of one patch), its genomes (one bit for each genome that
 * contributes to a cell), and its position in the patch.
 */
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

/** Returned by sourceOf for a cell that starts the step with zeros. */
const BARE = 0xffffffffu;

/** Whether a cell is set in the mask that begins at the given offset of the work buffer. */
fn isSet(mask: u32, cell: u32) -> bool {
  return (work[mask + (cell >> 5u)] & (1u << (cell & 31u))) != 0u;
}

/** Whether a cell is closed. A closed cell is zero before and after the step. */
fn isClosed(job: Job, cell: u32) -> bool { return job.closed != 0u && isSet(job.closed, cell); }

/**
 * Returns the offset of a cell's states at the start of the step, or BARE if these are zeros. If
 * every cell divides before the step, returns the offset of the parent cell's states.
 */
fn sourceOf(job: Job, x: i32, y: i32) -> u32 {
  if (!inside(job, x, y)) { return BARE; }
  let cell = u32(y) * job.side + u32(x);
  if (job.keep != 0u && !isSet(job.keep, cell)) { return BARE; }
  if (isClosed(job, cell)) { return BARE; }
  return job.source + (u32(y) >> divides(job)) * (job.side >> divides(job)) + (u32(x) >> divides(job));
}

/** Returns one group of four channels of a cell. */
fn groupOf(job: Job, source: u32, group: u32) -> vec4f {
  if (source == BARE) { return vec4f(0); }
  let side = job.side >> divides(job);
  return states[source + group * side * side];
}
`;
}

/** The finalizer of the hash function MurmurHash3, which mixes a number's bits. */
const MIX = `
fn mix32(bits: u32) -> u32 {
  var h = bits;
  h = (h ^ (h >> 16u)) * 0x85ebca6bu;
  h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
  return h ^ (h >> 16u);
}
`;

/**
 * Generates a WGSL function, `takesPart(seed, cell)`, that decides at random whether a cell
 * updates.
 *
 * @param probability probability of an update, 0…1
 */
const chanceSource = (probability: number): string => `${MIX}
fn takesPart(seed: u32, cell: u32) -> bool {
  // Use 24 bits, the precision of a float32.
  return f32(mix32(seed + mix32(cell + 0x9e3779b9u)) >> 8u) < ${probability} * 16777216.0;
}
`;

/**
 * Generates a kernel that runs before the step. For each patch, it computes a random seed by
 * hashing the patch's state, and writes the seed to the second word of the patch's answer.
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
        // Hash each value together with its position, so that swapping two values changes the sum.
        hash += mix32(bits[k] ^ mix32((cell * CHANNELS + c) * 4u + k + 1u));
      }
    }
  }
  atomicAdd(&answers[job.answer + 1u], hash);
}
`;
}

/**
 * Generates WGSL functions that read out the cell whose states begin at `at`, with `stride` between
 * groups of channels. `readCell` returns RGBA in four bytes, with R in the lowest. `readPresence`
 * returns the aliveness, 0…255.
 */
function readoutSource(card: Visible): string {
  const { channel } = card.presence;
  const presence = channel === undefined ? 'rgba >> 24u' : `toByte(value(at, stride, ${channel}u))`;
  return `
fn value(at: u32, stride: u32, channel: u32) -> f32 {
  return states[at + (channel >> 2u) * stride][channel & 3u];
}

fn toByte(x: f32) -> u32 {
  if (!(x > 0.0)) { return 0u; }
  if (x >= 1.0) { return 255u; }
  return u32(x * 255.0 + 0.5);
}

fn isBare(at: u32, stride: u32) -> bool {
  for (var c = 0u; c < CHANNELS; c++) {
    if (any(states[at + c * stride] != vec4f(0))) { return false; }
  }
  return true;
}
${cellSource(card.readout)}
fn readPresence(at: u32, stride: u32, rgba: u32) -> u32 { return ${presence}; }

fn difference(a: u32, b: u32) -> u32 {
  var largest = 0u;
  for (var i = 0u; i < 32u; i += 8u) {
    let change = abs(i32((a >> i) & 255u) - i32((b >> i) & 255u));
    largest = max(largest, u32(change));
  }
  return largest;
}
`;
}

function cellSource(readout: Card['readout']): string {
  switch (readout.kind) {
    case 'rgba-premultiplied': {
      const bytes = readout.channels.map(
        (channel, i) => `(toByte(value(at, stride, ${channel}u)) << ${8 * i}u)`,
      );
      return `
fn readCell(at: u32, stride: u32) -> u32 {
  return ${bytes.join(' | ')};
}`;
    }
    case 'bernoulli':
      // Limit logits to ±30, because exp could overflow. Larger logits give the same byte.
      return `
fn readCell(at: u32, stride: u32) -> u32 {
  if (isBare(at, stride)) { return 0u; }
  let logit = clamp(value(at, stride, ${readout.channel}u), -30.0, 30.0);
  return toByte(1.0 / (1.0 + exp(-logit))) * 0x01010101u;
}`;
    case 'dmol':
      return dmolSource(readout.mixtures);
  }
}

const dmolSource = (n: number): string => `
fn coefficient(at: u32, stride: u32, colour: u32, i: u32) -> f32 {
  return tanh(clamp(value(at, stride, ${n}u + ${3 * n}u * colour + ${2 * n}u + i), -10.0, 10.0));
}

fn readCell(at: u32, stride: u32) -> u32 {
  if (isBare(at, stride)) { return 0u; }
  var highest = value(at, stride, 0u);
  for (var i = 1u; i < ${n}u; i++) { highest = max(highest, value(at, stride, i)); }
  var total = 0.0;
  var sum = vec3f(0);
  for (var i = 0u; i < ${n}u; i++) {
    let weight = exp(value(at, stride, i) - highest);
    let mean = vec3f(
      value(at, stride, ${n}u + i), value(at, stride, ${4 * n}u + i), value(at, stride, ${7 * n}u + i));
    let r = clamp(mean.r, -1.0, 1.0);
    let g = clamp(mean.g + coefficient(at, stride, 0u, i) * r, -1.0, 1.0);
    let b = clamp(
      mean.b + coefficient(at, stride, 1u, i) * r + coefficient(at, stride, 2u, i) * g, -1.0, 1.0);
    total += weight;
    sum += weight * vec3f(r, g, b);
  }
  let mean = (sum / total + 1.0) / 2.0;
  return toByte(mean.r) | (toByte(mean.g) << 8u) | (toByte(mean.b) << 16u) | 0xff000000u;
}`;

/**
 * Generates the kernel that computes a step, one tile per workgroup.
 *
 * @param offsets where each layer's weights begin, in groups of four values
 */
export function stepSource(
  card: Card,
  plan: Plan,
  record: RecordLayout,
  offsets: ReadonlyMap<string, number>,
): string {
  const { update } = card;
  const { hiddenColumns, outColumns } = plan;
  /** Generates WGSL that applies the scales and shifts in a genome's record to a layer's sums. */
  const modulate = (layer: string, sums: string, columns: Columns, further = '0u'): string => {
    const { scales, shifts } = record.layers.get(layer)!;
    const at = (from: number, p: number): string =>
      `records[record + ${from + p}u + share * ${columns.perThread}u + ${further}]`;
    return each(columns.perThread, (p) => {
      const scale = scales === undefined ? '' : `let scale = ${at(scales, p)};`;
      const lines = each(plan.cellsPerThread, (j) => {
        const sum = `${sums}_${j}_${p}`;
        return `    ${sum} = ${sum}${scales === undefined ? '' : ' * scale'} + shift;`;
      });
      return `  { ${scale} let shift = ${at(shifts, p)};\n${lines} }`;
    });
  };
  const assign = (line: (h: string, u: string) => string): string =>
    eachSum(plan, hiddenColumns, (j, p) => `  ${line(`h_${j}_${p}`, `u_${j}_${p}`)}`);
  /**
   * Generates WGSL that computes a hidden layer's sums, in new variables u_j_p for cell j and group
   * of units p.
   */
  const hidden = (layer: string, further = '0u', blockSize = 0, recordSize = 0): string[] => [
    declareSums(plan, hiddenColumns, 'u'),
    laterSource(plan, `${offsets.get(layer)!}u + ${further} * ${blockSize}u`),
    modulate(layer, 'u', hiddenColumns, `${further} * ${recordSize}u`),
  ];

  const net: string[] = [
    declareSums(plan, hiddenColumns, 'h'),
    perceiveSource(plan, offsets.get('perceive')!),
    modulate('perceive', 'h', hiddenColumns),
  ];
  const { activates, blocks } = trunkOf(update);
  if (activates) net.push(assign((h) => `${h} = activate(${h});`));
  if (blocks.length > 0) {
    const [first, second] = blocks;
    // Generate a loop over the net's residual blocks. Compilers take four times as long if the loop
    // is unrolled.
    const loop = `for (var block = 0u; block < ${blocks.length}u; block++) `;
    const blockSize = second && offsets.get(second[0].name)! - offsets.get(first[0].name)!;
    const recordSize = first.length * hiddenColumns.all;
    net.push(`${second ? loop : ''}{`);
    first.forEach(({ name, activated }, i) => {
      net.push(
        ...[shareSource(plan, i === 0 ? 'h' : 'u'), ...(i === 0 ? [] : ['}']), '{'],
        ...(second ? hidden(name, 'block', blockSize, recordSize) : hidden(name)),
        ...(activated ? [assign((_, u) => `${u} = activate(${u});`)] : []),
      );
    });
    net.push(
      assign((h, u) => `${h} += ${u};`),
      '}}',
    );
  }
  net.push(
    shareSource(plan, 'h'),
    declareSums(plan, outColumns, 'c'),
    laterSource(plan, `${offsets.get('out')!}u`, record),
    modulate('out', 'c', outColumns),
  );

  return `${commonSource(plan)}
var<workgroup> cells: array<vec4f, ${plan.cellSpace}>;
var<workgroup> staged: array<vec4f, ${plan.weightSpace}>;
/**
 * Largest change, 0...255, of a value from the tile's last picture to its new one; BROKEN if a new
 * state is not finite.
 */
var<workgroup> largest: atomic<u32>;
${readoutSource(card)}
${update.updateProbability < 1 ? chanceSource(update.updateProbability) : ''}
fn activate(x: vec4f) -> vec4f {
  return ${update.activation === 'relu' ? 'max(x, vec4f(0))' : 'select(exp(min(x, vec4f(0))) - 1.0, x, x > vec4f(0))'};
}

/** Returns how much a genome contributes to a cell; 0 if the cell is closed. */
fn weightOf(tile: Tile, genome: u32, cell: u32) -> f32 {
  if (isClosed(tile.job, cell)) { return 0.0; }
  if (countOneBits(tile.genomes) == 1u) { return 1.0; }
  return records[tile.job.record + ${record.mix}u + cell][genome];
}

/**
 * Whether all numbers are finite. Tests the bits, because compilers may assume that all floats are
 * finite.
 */
fn finite(x: vec4f) -> bool {
  return all((bitcast<vec4u>(x) & vec4u(0x7f800000u)) != vec4u(0x7f800000u));
}

@compute @workgroup_size(${plan.threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = tileIndex(group);
  if (index >= tileCount()) { return; }
  let tile = tileAt(index);
  let job = tile.job;
  let stride = job.side * job.side;
${positionSource(plan)}
  // Compute the step once for each genome of the tile. The results, weighted by each genome's share
  // in the cell, are added up at job.destination.
  for (var genomes = tile.genomes; genomes != 0u; genomes &= genomes - 1u) {
  let genome = firstTrailingBit(genomes);
  let record = job.record + genome * ${record.size}u;
${net.join('\n')}
${changeSource(card, plan)}
  }
${answerSource(plan)}
}
`;
}

/**
 * Generates WGSL that computes the new states from the net's output (the change), the leak (the
 * share of a state lost in each step), the update mask and the limit of states.
 */
function changeSource({ update }: Card, plan: Plan): string {
  const { perThread } = plan.outColumns;
  const { leak, stateLimit, updateProbability } = update;
  return each(plan.cellsPerThread, (j) => {
    const groups = each(perThread, (p) => {
      const change = leak > 0 ? `(c_${j}_${p} - ${f32(leak)} * old)` : `c_${j}_${p}`;
      const moved =
        updateProbability < 1 ? `select(old, old + ${change}, acts)` : `old + ${change}`;
      const limit =
        stateLimit === undefined
          ? 'moved'
          : `clamp(moved, vec4f(${f32(-stateLimit)}), vec4f(${f32(stateLimit)}))`;
      return `    {
      let unit = share * ${perThread}u + ${p}u;
      if (unit < CHANNELS) {
        let old = groupOf(job, source, unit);
        let moved = ${moved};
        runaway = runaway || (weight > 0.0 && !finite(moved));
        let at = job.destination + unit * stride + cell;
        var mean = vec4f(0);
        if (genomes != tile.genomes) { mean = states[at]; }
        if (weight == 1.0) { mean = ${limit}; } else if (weight > 0.0) { mean += weight * ${limit}; }
        states[at] = mean;
      }
    }`;
    });
    return `  if (inside(job, x_${j}, y_${j})) {
    let cell = u32(y_${j}) * job.side + u32(x_${j});
    let source = sourceOf(job, x_${j}, y_${j});
    let weight = weightOf(tile, genome, cell);
    ${updateProbability < 1 ? 'let acts = takesPart(atomicLoad(&answers[job.answer + 1u]), cell);' : ''}
    var runaway = false;
${groups}
    if (runaway) { atomicMax(&largest, ${BROKEN}u); }
  }`;
  });
}

/**
 * Generates WGSL that reads out a tile's new states. The barriers wait until all threads of the
 * workgroup have written their states.
 */
const answerSource = ({ cells, tileWidth }: Plan): string => `
  storageBarrier();
  workgroupBarrier();
  for (var i = thread; i < ${cells}u; i += THREADS) {
    let x = tile.x + i32(i % ${tileWidth}u);
    let y = tile.y + i32(i / ${tileWidth}u);
    if (!inside(job, x, y)) { continue; }
    let cell = u32(y) * job.side + u32(x);
    let at = job.destination + cell;
    let rgba = readCell(at, stride);
    let presence = readPresence(at, stride, rgba);
    atomicStore(&answers[job.answer + ${ANSWER_HEAD}u + cell], rgba);
    atomicOr(
      &answers[job.answer + ${ANSWER_HEAD}u + stride + (cell >> 2u)],
      presence << (8u * (cell & 3u)));
    if (compares(job)) { atomicMax(&largest, difference(seen[job.seen + cell], rgba)); }
    seen[job.seen + cell] = rgba;
  }
  workgroupBarrier();
  if (thread == 0u) { atomicMax(&answers[job.answer], atomicLoad(&largest)); }`;

const f32 = (value: number): string => `f32(${value})`;
