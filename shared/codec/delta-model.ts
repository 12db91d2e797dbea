/**
 * Codes the changes of a chunk's cells: which cells change, their new owners, and their new
 * colours, alpha first. A colour is coded as its difference from a prediction. This is the cell's
 * earlier colour, moved like its neighbours and its already coded channels (`expectedStep`), or, if
 * the owner changes, a prediction from the neighbours' colours (`predict`). Contexts depend on how
 * much the neighbours and the already coded channels differed, on the range that is left for the
 * value, and on the picture before the change.
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

/** Looked up only once, because access to a global in a sandbox costs more than the arithmetic. */
const { abs, max, min } = Math;

/** Predicts a value with the median edge detector of JPEG-LS (Weinberger et al. 2000). */
function medianOf(left: number, up: number, corner: number): number {
  if (corner >= max(left, up)) return min(left, up);
  if (corner <= min(left, up)) return max(left, up);
  return left + up - corner;
}

/** Predicts a channel from the neighbours of a cell (`medianOf`). @param c channel of RGBA, 0…3 */
function predict({ rgba, width }: Cells, x: number, y: number, c: number): number {
  const cell = y * width + x;
  const left = x > 0 ? rgba[(cell - 1) * 4 + c] : 0;
  const up = y > 0 ? rgba[(cell - width) * 4 + c] : 0;
  return medianOf(left, up, x > 0 && y > 0 ? rgba[(cell - width - 1) * 4 + c] : 0);
}

/**
 * Weights for predicting how far a channel moves, in 32nds. For each already coded channel, there
 * are two weights: for the movement of the left and upper neighbours, and for the movement of this
 * cell. The last two weights are for the channel itself: for the movement of the left and upper
 * neighbours, and for how far the four neighbours were from this cell before the change. Rows 0…3
 * are for small steps, rows 4…7 for large steps.
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
 * Predicts how far a channel moves, in levels: along with its neighbours and the already coded
 * channels, and towards its neighbours. The weights were learned by regression.
 *
 * @param row index into `CHANNELS`, plus 4 if steps are large
 * @param around sum of the four neighbours' values of the channel
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
 * Divides a difference by the step, to the nearest integer. Halfway cases round towards 0, which
 * costs less. Never returns −0, which would make engines switch to floating-point arithmetic.
 *
 * @param step a power of two
 */
function stepsTo(difference: number, step: number): number {
  const steps = (abs(difference) + ((step - 1) >> 1)) >> (lengthOf(step) - 1);
  return difference < 0 ? -steps | 0 : steps;
}

/** How a delta codes a cell: as unchanged, in steps, or exactly. */
export const MARKS = { same: 0, coded: 1, exact: 2 } as const;

/** The input and output of `codeDelta`. */
export interface Delta {
  /**
   * A writer passes the wanted cells, which are replaced by the cells that a reader decodes. Unless
   * coded exactly, the decoded cells differ from the wanted cells by less than `step`. A reader
   * passes the earlier cells, which are replaced by the decoded cells.
   */
  readonly after: Cells;
  /** Quantization step of differences in cells that are not coded exactly. */
  readonly step: number;
  /** [cells] For a writer: one of `MARKS` per cell, `same` only if the cell has not changed. */
  readonly marks: Uint8Array;
  /**
   * Working memory. The caller has called `begin` with the cells that both sides hold; a writer has
   * also set the groups.
   */
  readonly neighbourhood: Neighbourhood;
}

/** Classifies an alpha value: 0 for transparent, 1…3 for three levels between, 4 for opaque. */
const opacity = (alpha: number): number =>
  reaches(alpha, 1) + reaches(alpha, 64) + reaches(alpha, 192) + reaches(alpha, 255);

/**
 * Classifies how many steps fit into a range of values: 0 for none, 1 for less than one, 2 for
 * some, 3 for many.
 */
const stepsIn = (range: number, step: number): number =>
  reaches(range, 1) + reaches(range, step) + reaches(range, 4 * step);

/** Codes the changes of a chunk's cells; see the top of the file. */
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
        ? coder.bit(
            after.owner[cell] === old ? 0 : 1,
            CONTEXTS.moved + shown * 3 + movedNear,
            CONTEXTS.movedAmong + neighbourhood.sameOwner(at),
          )
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
 * Codes whether a cell changes.
 *
 * @param is sum of 1 if the cell changes, 2 if it has an owner, and 4 if steps are large
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

/** Codes the colours of changing cells. */
class ColourCoder {
  private readonly contexts = createDifferenceContexts();

  /** @param isCoarse 1 if the quantization step is large, else 0 */
  constructor(
    private readonly coder: BitCoder,
    private readonly near: Neighbourhood,
    private readonly after: Cells,
    private readonly isCoarse: number,
  ) {}

  /**
   * Codes a cell's colour, and overwrites it with the colour that a reader decodes.
   *
   * @param kind 0: in steps; 1: exactly; 2: with a new owner
   * @param unit quantization step of the differences
   */
  code(x: number, y: number, kind: number, unit: number): void {
    const { coder, near, after, contexts, isCoarse } = this;
    const { rgba, width } = after;
    const { colours, differences, moves, stride } = near;
    const at = near.indexOf(x, y);
    // Compute the indices of the cell and its neighbours here. Methods would cost more, because
    // engines do not inline them.
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
      // Limit the colour to alpha, which is coded first, because a premultiplied colour never
      // exceeds it.
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
