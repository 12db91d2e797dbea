/**
 * Read-outs: functions that compute the colours of cells (premultiplied RGBA) and the aliveness of
 * cells from the cells' states. All results have 8 bits.
 */
import type { Card } from './card.ts';

/** The part of a card that read-outs depend on. */
export type Visible = Pick<Card, 'channels' | 'readout' | 'presence'>;

/**
 * Returns the number of channels of a checkpoint's images: 1 for black and white, 3 for RGB, 4 for
 * premultiplied RGBA.
 */
export const imageChannels = ({ kind }: { readonly kind: string }): 1 | 3 | 4 =>
  kind === 'bernoulli' ? 1 : kind === 'dmol' ? 3 : 4;

/**
 * Converts a number from 0…1 to 0…255, and rounds to the nearest integer (halves up). Numbers
 * outside 0…1 are clamped; NaN becomes 0.
 */
export function toByte(value: number): number {
  if (!(value > 0)) return 0;
  return value >= 1 ? 255 : (value * 255 + 0.5) | 0;
}

/**
 * Limit for logits. The sigmoid of a logit, rounded to a byte, is 0 for all logits below
 * −`SATURATED`, and 255 for all logits above `SATURATED`. The smallest such limit is ln 509.
 */
export const SATURATED = 6.25;
/**
 * Number of equal intervals between the logits −`SATURATED` and `SATURATED`. In each interval, the
 * sigmoid as a byte changes at most once. One change is at the logit 0. Because the number of
 * intervals is odd, this logit lies in the middle of an interval, and rounding cannot move it to
 * another interval.
 */
const INTERVALS = 4095;
const PER_LOGIT = INTERVALS / (2 * SATURATED);

const inkAt = (logit: number): number => toByte(1 / (1 + Math.exp(-logit)));

/**
 * Lookup table for the sigmoid of a logit, as a byte; several times as fast as an exponential. The
 * logits are divided into intervals. For interval i, `bytes[i]` is the byte at its beginning, and
 * `next[i]` is the smallest float32 logit with the next larger byte. If the byte does not change
 * within the interval, `next[i]` is infinity.
 */
export const INK = (() => {
  const bytes = new Uint8Array(INTERVALS);
  const next = new Float32Array(INTERVALS).fill(Infinity);
  for (let i = 0; i < INTERVALS; i++) {
    let [below, above] = [i, i + 1].map((at) => Math.fround(at / PER_LOGIT - SATURATED));
    bytes[i] = inkAt(below);
    if (inkAt(above) === bytes[i]) continue;
    for (;;) {
      const middle = Math.fround((below + above) / 2);
      if (middle === below || middle === above) break;
      if (inkAt(middle) === bytes[i]) below = middle;
      else above = middle;
    }
    next[i] = above;
  }
  return { bytes, next };
})();

/** Returns the sigmoid of a float32 logit as a byte, by lookup. */
export function inkOf(logit: number): number {
  if (!(logit > -SATURATED)) return 0;
  if (logit >= SATURATED) return 255;
  const i = ((logit + SATURATED) * PER_LOGIT) | 0;
  return logit < INK.next[i] ? INK.bytes[i] : INK.bytes[i] + 1;
}

/**
 * Computes the picture and the aliveness of cells.
 *
 * @param states the cells' states from index `offset` on, [cells, C] or [C, cells]
 * @param rgba receives the picture, [cells, 4]
 * @param presence receives the aliveness, [cells]
 */
export type ReadCells = (
  states: Float32Array,
  offset: number,
  rgba: Uint8Array,
  presence: Uint8Array,
) => void;

/**
 * Creates the function that reads out the cells of a checkpoint's patches.
 *
 * @param planar true if states are [C, cells], false if they are [cells, C]
 */
export function createReadout(card: Visible, planar = false): ReadCells {
  const readCell = createCellReadout(card);
  const { channel } = card.presence;
  const isAlpha =
    card.readout.kind === 'rgba-premultiplied' && channel === card.readout.channels[3];
  return (states, offset, rgba, presence) => {
    const cells = presence.length;
    const [toCell, toChannel] = planar ? [1, cells] : [card.channels, 1];
    for (let cell = 0, at = offset; cell < cells; cell++, at += toCell) {
      presence[cell] = readCell(states, at, toChannel, rgba, 4 * cell);
      if (channel !== undefined && !isAlpha) {
        presence[cell] = toByte(states[at + channel * toChannel]);
      }
    }
  };
}

/**
 * Writes the RGBA values of one cell to `rgba`, from index `to` on.
 *
 * @param at index of the cell's first channel in `states`
 * @param stride distance between two channels of the cell in `states`
 * @returns the cell's alpha, which is also its aliveness if the checkpoint's card names no channel
 *   for the aliveness
 */
type ReadCell = (
  states: Float32Array,
  at: number,
  stride: number,
  rgba: Uint8Array,
  to: number,
) => number;

function createCellReadout({ channels, readout }: Visible): ReadCell {
  switch (readout.kind) {
    case 'rgba-premultiplied': {
      const [r, g, b, a] = readout.channels;
      return (states, at, stride, rgba, to) => {
        rgba[to] = toByte(states[at + r * stride]);
        rgba[to + 1] = toByte(states[at + g * stride]);
        rgba[to + 2] = toByte(states[at + b * stride]);
        return (rgba[to + 3] = toByte(states[at + a * stride]));
      };
    }
    case 'bernoulli':
      return (states, at, stride, rgba, to) => {
        const logit = states[at + readout.channel * stride];
        const ink = logit === 0 && isBare(states, at, stride, channels) ? 0 : inkOf(logit);
        return fillCell(rgba, to, ink);
      };
    case 'dmol':
      return (states, at, stride, rgba, to) => {
        if (isBare(states, at, stride, channels)) return fillCell(rgba, to, 0);
        const mean = dmolMean(states, at, readout.mixtures, stride);
        for (let c = 0; c < 3; c++) rgba[to + c] = toByte((mean[c] + 1) / 2);
        return (rgba[to + 3] = 255);
      };
  }
}

/**
 * Returns whether all values of a cell's state are zero, for example after damage. Such a cell must
 * look empty, although some read-outs would make the cell half transparent or grey.
 */
function isBare(states: Float32Array, at: number, stride: number, channels: number): boolean {
  for (let c = 0; c < channels; c++) if (states[at + c * stride] !== 0) return false;
  return true;
}

/**
 * Sets the four RGBA values of a cell to `value`, and returns `value`. Four assignments are several
 * times as fast as `fill`.
 */
function fillCell(rgba: Uint8Array, to: number, value: number): number {
  rgba[to] = rgba[to + 1] = rgba[to + 2] = rgba[to + 3] = value;
  return value;
}

/**
 * Computes the mean colour of a discretised mixture of logistics (PixelCNN++, Salimans et al.
 * 2017). The channels have the order of the published VNCA: first n mixture logits; then, for each
 * of R, G and B, n means, n log-scales and n coefficients.
 *
 * @returns R, G and B, each clamped to −1…1
 */
export function dmolMean(
  states: Float32Array,
  at: number,
  mixtures: number,
  stride = 1,
): [number, number, number] {
  const n = mixtures;
  const channel = (c: number): number => states[at + c * stride];
  const clamp = (x: number): number => Math.max(-1, Math.min(1, x));
  const mean = (colour: number, i: number): number => channel(n + 3 * n * colour + i);
  const coefficient = (colour: number, i: number): number =>
    Math.tanh(channel(n + 3 * n * colour + 2 * n + i));
  let highest = -Infinity;
  for (let i = 0; i < n; i++) highest = Math.max(highest, channel(i));
  let total = 0;
  let red = 0;
  let green = 0;
  let blue = 0;
  for (let i = 0; i < n; i++) {
    const weight = Math.exp(channel(i) - highest);
    const r = clamp(mean(0, i));
    const g = clamp(mean(1, i) + coefficient(0, i) * r);
    const b = clamp(mean(2, i) + coefficient(1, i) * r + coefficient(2, i) * g);
    total += weight;
    red += weight * r;
    green += weight * g;
    blue += weight * b;
  }
  return [red / total, green / total, blue / total];
}
