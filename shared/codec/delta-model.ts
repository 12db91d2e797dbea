/**
 * Codes the changes of a chunk's cells: which cells change, their new owners, and their new
 * colours, alpha first. Each colour is coded as its difference from a prediction:
 * - If the owner stays and the colour is quantized, the prediction is the earlier colour plus an
 *   expected change (`expectedStep`).
 * - If the owner stays and the colour is exact, the prediction is the earlier colour.
 * - If the owner changes, the prediction comes from the neighbours' new colours (`predict`).
 */

import type { Cells } from './chunks.ts';
import * as CONTEXTS from './contexts.ts';
import { LENGTHS } from './contexts.ts';
import {
  CHANNELS,
  clamp,
  differencesAround,
  GROUP,
  GROUP_BITS,
  HALF_OCTAVES,
  halfOctave,
  lengthOf,
  type Neighbourhood,
  reaches,
  shortLengthOf,
  signOf,
} from './neighbourhood.ts';
import type { BitCoder } from './range-coder.ts';
import { codeDifference, createDifferenceContexts, OwnerCoder } from './symbols.ts';

const { abs, max, min } = Math;

/**
 * Predicts a value from its left, upper and upper left neighbours, with the median edge detector of
 * JPEG-LS (Weinberger et al. 2000).
 */
function medianOf(left: number, up: number, corner: number): number {
  if (corner >= max(left, up)) return min(left, up);
  if (corner <= min(left, up)) return max(left, up);
  return left + up - corner;
}

/**
 * Predicts a channel of a cell from the left, upper and upper left neighbours.
 *
 * @param c index of the channel in RGBA, 0…3
 */
function predict({ rgba, width }: Cells, x: number, y: number, c: number): number {
  const cell = y * width + x;
  const left = x > 0 ? rgba[(cell - 1) * 4 + c] : 0;
  const up = y > 0 ? rgba[(cell - width) * 4 + c] : 0;
  return medianOf(left, up, x > 0 && y > 0 ? rgba[(cell - width - 1) * 4 + c] : 0);
}

/**
 * Weights, in 32nds, of the sum that predicts by how much an update changes a channel. Rows 0…3 are
 * for quantization steps up to 8, rows 4…7 for larger steps. In both groups, there is one row per
 * channel, in the order of `CHANNELS`.
 *
 * A row begins with two weights for each channel that precedes the predicted channel. They
 * multiply:
 * - the sum of the preceding channel's changes in the left and upper neighbours;
 * - the preceding channel's change in this cell.
 *
 * A row ends with two weights for the predicted channel. They multiply:
 * - the sum of the channel's changes in the left and upper neighbours;
 * - the sum of the channel's values before the update in the left, right, upper and lower
 *   neighbours, minus four times its value before the update in this cell.
 */
const STEPS: readonly (readonly number[])[] = [
  [11, 1],
  [-6, 20, 11, 0],
  [-2, 5, -6, 19, 11, 0],
  [0, 1, 2, -8, -8, 26, 11, 1],
  [14, 3],
  [-6, 18, 12, 2],
  [-2, 5, -4, 16, 9, 2],
  [-1, 2, 0, -2, -4, 14, 11, 4],
];

/**
 * Predicts by how much a channel's value (0…255) changes. The weights (`STEPS`) were learned by
 * regression.
 *
 * @param at index of the cell in the neighbourhood
 * @param row the channel's index in `CHANNELS`, plus 4 if the quantization step is above 8
 * @param around sum of the channel's values before the update in the left, right, upper and lower
 *   neighbours
 */
function expectedStep(
  { moves, colours, stride }: Neighbourhood,
  at: number,
  row: number,
  around: number,
): number {
  const weights = STEPS[row];
  const i = row & 3;
  const own = 4 * at;
  const left = own - 4;
  const up = own - 4 * stride;
  let k = 0;
  let sum = 16;
  for (let j = 0; j < i; j++) {
    sum += weights[k++] * (moves[left + j] + moves[up + j]) + weights[k++] * moves[own + j];
  }
  const pull = around - 4 * colours[own + CHANNELS[i]];
  return (sum + weights[k] * (moves[left + i] + moves[up + i]) + weights[k + 1] * pull) >> 5;
}

/**
 * Divides a difference by the step, and rounds to the nearest integer; halves are rounded towards
 * 0. Never returns −0, which would slow down JavaScript engines.
 *
 * @param step a power of two
 */
function stepsTo(difference: number, step: number): number {
  const steps = (abs(difference) + ((step - 1) >> 1)) >> (lengthOf(step) - 1);
  return difference < 0 ? -steps | 0 : steps;
}

/**
 * How a delta codes a cell: as unchanged (`same`), with a quantized colour (`coded`), or with an
 * exact colour (`exact`).
 */
export const MARKS = { same: 0, coded: 1, exact: 2 } as const;

export interface Delta {
  /**
   * When encoding: the new cells. When decoding: the earlier cells. `codeDelta` replaces them with
   * the decoded cells, which equal the new cells except for the quantization of colours.
   */
  readonly after: Cells;
  /** Quantization step of colours that are not coded exactly. */
  readonly step: number;
  /**
   * When encoding: one of `MARKS` for each cell. A cell that changes must be marked `coded` or
   * `exact`. Ignored when decoding.
   */
  readonly marks: Uint8Array;
  /**
   * Working memory. Before calling `codeDelta`, call `begin` with the cells before the change. If
   * encoding, fill `groups` after that.
   */
  readonly neighbourhood: Neighbourhood;
}

/** Classifies an alpha value: 0 for transparent, 1…3 for three ranges in between, 4 for opaque. */
const opacity = (alpha: number): number =>
  reaches(alpha, 1) + reaches(alpha, 64) + reaches(alpha, 192) + reaches(alpha, 255);

/**
 * Classifies the size of a range: 0 if it is empty, 1 if it is smaller than `step`, 2 if it is
 * smaller than four steps, 3 if it is larger.
 */
const stepsIn = (range: number, step: number): number =>
  reaches(range, 1) + reaches(range, step) + reaches(range, 4 * step);

/**
 * Codes the changes of a chunk's cells: writes them if the coder is a writer, otherwise reads them.
 */
export function codeDelta(coder: BitCoder, { after, step, marks, neighbourhood }: Delta): void {
  const { width, height } = after;
  const { reads } = coder;
  const owners = new OwnerCoder(coder, neighbourhood.owners);
  const isCoarse = step > 8 ? 1 : 0;
  const colourCoder = new ColourCoder(coder, neighbourhood, after, isCoarse);
  codeGroups(coder, neighbourhood);
  const { stride, changes, moved, fine, groups, columns, colours, owners: before } = neighbourhood;
  for (let y = 0; y < height; y++) {
    const row = (y >> GROUP_BITS) * columns;
    for (let x = 0; x < width; x++) {
      if (groups[row + (x >> GROUP_BITS)] === 0) {
        x |= GROUP - 1;
        continue;
      }
      const cell = y * width + x;
      const at = neighbourhood.indexOf(x, y);
      const old = before[at];
      const alive = old === 0 ? 0 : 1;
      const isCoded = reads || marks[cell] === MARKS.same ? 0 : 1;
      if (!codeChanged(coder, neighbourhood, at, isCoded + 2 * alive + 4 * isCoarse)) continue;
      neighbourhood.noteChange(at);
      const shown = opacity(colours[4 * at + 3]);
      const movedNear = moved[at - 1] + moved[at - stride];
      const hasMoved = alive
        ? coder.bit(after.owner[cell] === old ? 0 : 1, CONTEXTS.moved + shown * 3 + movedNear)
        : 1;
      moved[at] = hasMoved;
      if (hasMoved) {
        const bare = alive
          ? coder.bit(after.owner[cell] === 0 ? 1 : 0, CONTEXTS.bare + movedNear)
          : 0;
        after.owner[cell] = bare ? 0 : owners.codeNew(after, x, y);
        if (bare) {
          after.rgba.fill(0, cell * 4, cell * 4 + 4);
          continue;
        }
      }
      const isExact = marks[cell] === MARKS.exact ? 1 : 0;
      const around = fine[at - 1] + 2 * fine[at - stride] + 4 * (changes[at] & 3);
      const finer = fine[at - 1] + fine[at - stride];
      const isFine =
        step > 1
          ? coder.bit(isExact, CONTEXTS.fine + around, CONTEXTS.fineShown + shown * 3 + finer)
          : 1;
      fine[at] = isFine;
      const kind = hasMoved ? 2 : isFine ? 1 : 0;
      colourCoder.code(x, y, kind, isFine ? 1 : step);
    }
  }
}

function codeGroups(coder: BitCoder, { groups, columns, rows }: Neighbourhood): void {
  for (let i = 0; i < columns * rows; i++) {
    const left = i % columns > 0 ? groups[i - 1] : 0;
    const up = i >= columns ? groups[i - columns] : 0;
    groups[i] = coder.bit(groups[i], CONTEXTS.group + left + up);
  }
}

/**
 * Writes or reads whether a cell changes.
 *
 * @param at index of the cell in the neighbourhood
 * @param is sum of flags: 1 if the cell changes (only when encoding), 2 if the cell had an owner
 *   before the update, 4 if the quantization step is above 8
 * @returns 1 if the cell changes, else 0
 */
function codeChanged(coder: BitCoder, near: Neighbourhood, at: number, is: number): number {
  const { changes, fine, stride, colours } = near;
  const pattern = changes[at] & 15;
  const further = changes[at] >> 4;
  const far = reaches(further, 1) + reaches(further, 3);
  const edge = halfOctave(near.gradient(at));
  const moves = halfOctave(near.movesNear(at) >> ((is & 4) === 0 ? 2 : 4));
  return coder.bit(
    is & 1,
    CONTEXTS.changed + (((is >> 2) * 16 + pattern) * 3 + far) * 2 + ((is >> 1) & 1),
    CONTEXTS.changedPicture + opacity(colours[4 * at + 3]) * HALF_OCTAVES + edge,
    CONTEXTS.changedNear + ((is >> 2) * 16 + moves) * 3 + fine[at - 1] + fine[at - stride],
  );
}

class ColourCoder {
  private readonly contexts = createDifferenceContexts();

  /** @param isCoarse 1 if the quantization step of the delta is above 8, else 0 */
  constructor(
    private readonly coder: BitCoder,
    private readonly near: Neighbourhood,
    private readonly after: Cells,
    private readonly isCoarse: number,
  ) {}

  /**
   * Writes or reads the colour of a changed cell. Stores the decoded colour in `after`.
   *
   * @param kind 0: same owner, quantized colour; 1: same owner, exact colour; 2: new owner
   * @param unit quantization step; 1 for an exact colour
   */
  code(x: number, y: number, kind: number, unit: number): void {
    const { coder, near, after, contexts, isCoarse } = this;
    const { rgba, width } = after;
    const { colours, differences, moves, stride } = near;
    const at = near.indexOf(x, y);
    // Compute these indices here, because JavaScript engines would not inline a method for them.
    const own = 4 * at;
    const left = own - 4;
    const up = own - 4 * stride;
    const down = own + 4 * stride;
    const first = 4 * (y * width + x);
    const variant = kind * 2 + isCoarse;
    let previous = 0;
    let alpha = 0;
    for (let i = 0; i < 4; i++) {
      const c = CHANNELS[i];
      const old = colours[own + c];
      const sum = colours[left + c] + colours[own + 4 + c] + colours[up + c] + colours[down + c];
      // In premultiplied RGBA, red, green and blue are at most alpha.
      const most = i === 0 ? 255 : rgba[first + 3];
      const from =
        kind === 2
          ? predict(after, x, y, c)
          : kind === 1
            ? old
            : max(0, min(most, old + expectedStep(near, at, isCoarse * 4 + i, sum)));
      const room = stepsIn(most - from, unit) * 4 + stepsIn(from, unit);
      const isColour = i === 0 ? 0 : 1;
      const which = kind * 2 + isColour;
      const around = differencesAround(differences, left + i, up + i);
      const signs = signOf(differences[left + i]) * 3 + signOf(differences[up + i]);
      const before = shortLengthOf(alpha) * 4 + (i > 1 ? shortLengthOf(previous) : 0);
      contexts.lengthA = CONTEXTS.length + (variant * 12 + around) * LENGTHS;
      contexts.lengthB = CONTEXTS.lengthAfter + ((kind * 3 + min(2, i)) * 16 + before) * LENGTHS;
      contexts.lengthC = CONTEXTS.lengthWithin + (which * 16 + room) * LENGTHS;
      const pull = (sum >> 2) - from;
      contexts.signA = CONTEXTS.sign + (which * 9 + signs) * 3 + signOf(previous);
      contexts.signB = CONTEXTS.signWithin + which * 16 + room;
      contexts.signC =
        CONTEXTS.signTowards + (which * 2 + (pull >>> 31)) * 12 + min(11, halfOctave(abs(pull)));
      contexts.mantissa = CONTEXTS.mantissa + (variant * 2 + isColour) * 8;
      const difference = coder.reads ? 0 : stepsTo(rgba[first + c] - from, unit);
      const coded = codeDifference(coder, contexts, difference);
      const value = clamp(from + coded * unit);
      differences[own + i] = coded;
      moves[own + i] = kind === 2 ? coded * unit : value - old;
      previous = coded;
      if (i === 0) alpha = coded;
      rgba[first + c] = value;
    }
  }
}
