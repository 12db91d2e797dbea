/**
 * Generates the kernel of a step, which turns a patch's states into its new states and read-out.
 */

import { trunkOf } from '../../../vnca/architecture.ts';
import type { Card } from '../../../vnca/card.ts';
import type { Visible } from '../../../vnca/readout.ts';
import type { Columns, Plan } from '../plan.ts';
import type { PackedWeights, RecordLayout } from '../weights.ts';
import { ANSWER_HEAD, BROKEN } from '../work.ts';
import {
  chanceSource,
  commonSource,
  declareSums,
  each,
  eachSum,
  hiddenSource,
  outSource,
  perceiveSource,
  positionSource,
  shareSource,
} from './layers.ts';

/**
 * Declares functions that read the cell at `at` in `states`, with `stride` between its groups of
 * channels: `readCell` returns RGBA, one byte each, R in the lowest; `readPresence` returns the
 * aliveness, 0…255.
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
      // Clamps to ±30, because beyond that the byte no longer changes and exp would overflow.
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
 * Generates the kernel `main`, with one workgroup per tile. @param offsets offset of each layer's
 * weights
 */
export function stepSource(
  card: Card,
  plan: Plan,
  record: RecordLayout,
  offsets: PackedWeights['offsets'],
): string {
  const { update } = card;
  const { hiddenColumns, outColumns } = plan;
  /** Applies the record's scales and shifts to the sums of a layer. */
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
  /** Sums a hidden layer, in variables u of the enclosing block. */
  const hidden = (layer: string, further = '0u', blockSize = 0, recordSize = 0): string[] => [
    declareSums(plan, hiddenColumns, 'u'),
    hiddenSource(plan, `${offsets.get(layer)!}u + ${further} * ${blockSize}u`, 'u'),
    modulate(layer, 'u', hiddenColumns, `${further} * ${recordSize}u`),
  ];

  const net: string[] = [
    declareSums(plan, hiddenColumns, 'h'),
    perceiveSource(plan, offsets.get('perceive')!, 'h'),
    modulate('perceive', 'h', hiddenColumns),
  ];
  const { activates, blocks } = trunkOf(update);
  if (activates) net.push(assign((h) => `${h} = activate(${h});`));
  if (blocks.length > 0) {
    const [first, second] = blocks;
    // Loops over consecutive blocks, as unrolled code takes compilers four times as long.
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
    outSource(plan, offsets.get('out')!, 'c', record),
    modulate('out', 'c', outColumns),
  );

  return `${commonSource(plan)}
var<workgroup> cells: array<vec4f, ${plan.cellSpace}>;
var<workgroup> staged: array<vec4f, ${plan.weightSpace}>;
/** The largest change in the tile, or BROKEN. */
var<workgroup> largest: atomic<u32>;
${readoutSource(card)}
${update.updateProbability < 1 ? chanceSource(update.updateProbability) : ''}
fn activate(x: vec4f) -> vec4f {
  return ${update.activation === 'relu' ? 'max(x, vec4f(0))' : 'select(exp(min(x, vec4f(0))) - 1.0, x, x > vec4f(0))'};
}

/** How much a genome counts for a cell. Closed cells remain zero. */
fn weightOf(tile: Tile, genome: u32, cell: u32) -> f32 {
  if (isClosed(tile.job, cell)) { return 0.0; }
  if (countOneBits(tile.genomes) == 1u) { return 1.0; }
  return records[tile.job.record + ${record.mix}u + cell][genome];
}

/** Tests the bits, since compilers may assume that numbers are finite. */
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
  // Steps with one genome after the other, and sums the weighted states in place.
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

/** Computes the new states from the net's output, the leak, the update mask and the limit. */
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
 * Reads out the new states. The barriers wait until the tile's other threads have written their
 * states.
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

/** Formats a number in WGSL. */
const f32 = (value: number): string => `f32(${value})`;
