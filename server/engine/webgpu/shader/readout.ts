/** Generates the code of the read-outs documented in vnca/readout.ts. */
import type { Card } from '../../../vnca/card.ts';
import type { Visible } from '../../../vnca/readout.ts';

/**
 * Functions for the cell that starts at `at` in `states`, with `stride` between its groups of
 * channels: `readCell` returns RGBA, a byte each, R lowest; `readPresence` the presence, 0…255.
 */
export function readoutSource(card: Visible): string {
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
      // Beyond ±30 the byte no longer changes, and exp would overflow.
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
