/**
 * Codes the change of a chunk's cells: which change, who owns them then, and their colours, alpha
 * first. A colour is coded as its difference from a prediction: the cell's previous colour, moved as
 * neighbours and the channels before have moved (`expectedStep`), or, where the owner changes, that of
 * its neighbours (`predict`). Contexts are how much the neighbours and the
 * channels before differed, how far a value can still go, and the picture before the change.
 */
import type { Cells } from './cells.ts';
import { CONTEXTS, LENGTHS } from './contexts.ts';
import { codeDifference, createDifferenceContexts, type DifferenceContexts } from './difference.ts';
import {
  GROUP,
  GROUP_BITS,
  HALF_OCTAVES,
  halfOctave,
  lengthOf,
  type Neighbourhood,
  signOf,
} from './neighbourhood.ts';
import { OwnerCoder } from './owner-coder.ts';
import { CHANNELS, clamp, expectedStep, predict } from './prediction.ts';
import type { BitCoder } from './range-coder.ts';

/** Looked up once: in a sandbox, access to a global costs more than the arithmetic. */
const { abs, ceil, max, min } = Math;

/** The nearest number of steps; between two, the one nearer to none, which costs less. */
const stepsTo = (difference: number, step: number): number =>
  difference < 0 ? -stepsTo(-difference, step) : ceil(difference / step - 0.5);

/** What a delta does with a cell: skips it, codes it in steps, or codes it exactly. */
export const MARKS = { same: 0, coded: 1, exact: 2 } as const;

/** The input and output of `codeDelta`. */
export interface Delta {
  /** The cells that both sides hold. */
  readonly before: Cells;
  /**
   * A writer passes the wanted cells, which become what a reader decodes; a reader passes `before`
   * itself, which is overwritten.
   */
  readonly after: Cells;
  /** Quantization step of the differences of cells that are not coded exactly. */
  readonly step: number;
  /** [cells] of `MARKS`, of a writer: every cell that differs must be marked. */
  readonly marks: Uint8Array;
  /** Working memory. */
  readonly neighbourhood: Neighbourhood;
}

/** How opaque a cell is: 0, three levels between, 255. */
const opacity = (alpha: number): number =>
  alpha === 0 ? 0 : alpha < 64 ? 1 : alpha < 192 ? 2 : alpha < 255 ? 3 : 4;

/** How many steps fit into a range of values: none, less than one, some, many. */
const stepsIn = (range: number, step: number): number =>
  range <= 0 ? 0 : range < step ? 1 : range < 4 * step ? 2 : 3;

/** Codes the change of a chunk's cells. */
export function codeDelta(
  coder: BitCoder,
  { before, after, step, marks, neighbourhood }: Delta,
): void {
  const { width, height } = before;
  const { reads } = coder;
  const owners = new OwnerCoder(coder, before);
  // A reader's cells change while it reads.
  if (reads) owners.meetAll();
  neighbourhood.begin(before);
  const contexts = createDifferenceContexts();
  const isCoarse = step > 8 ? 1 : 0;
  codeGroups(coder, { width, height, marks, neighbourhood });
  const { stride, changed, moved, fine, groups, columns, colours } = neighbourhood;
  for (let y = 0; y < height; y++) {
    const row = (y >> GROUP_BITS) * columns;
    for (let x = 0; x < width; x++) {
      if (groups[row + (x >> GROUP_BITS)] === 0) {
        x |= GROUP - 1;
        continue;
      }
      const cell = y * width + x;
      const at = neighbourhood.indexOf(x, y);
      const old = before.owner[cell];
      const alive = old === 0 ? 0 : 1;
      const isCoded = reads || marks[cell] === MARKS.same ? 0 : 1;
      if (!codeChanged(coder, neighbourhood, at, isCoded + 2 * alive + 4 * isCoarse)) continue;
      changed[at] = 1;
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
      const around =
        fine[at - 1] + 2 * fine[at - stride] + 4 * changed[at - 1] + 8 * changed[at - stride];
      const finer = fine[at - 1] + fine[at - stride];
      const isFine =
        step > 1
          ? coder.bit(isExact, CONTEXTS.fine + around, CONTEXTS.fineShown + shown * 3 + finer)
          : 1;
      fine[at] = isFine;
      const kind = hasMoved ? 2 : isFine ? 1 : 0;
      const unit = isFine ? 1 : step;
      codeColours(coder, neighbourhood, contexts, { x, y, at, after, kind, unit, isCoarse });
    }
  }
}

/** Codes which groups of cells have changed. */
function codeGroups(
  coder: BitCoder,
  {
    width,
    height,
    marks,
    neighbourhood: { groups, columns, groupCount },
  }: Pick<Cells, 'width' | 'height'> & Pick<Delta, 'marks' | 'neighbourhood'>,
): void {
  if (!coder.reads) {
    for (let y = 0, cell = 0; y < height; y++) {
      const row = (y >> GROUP_BITS) * columns;
      for (let x = 0; x < width; x++, cell++)
        if (marks[cell] !== MARKS.same) groups[row + (x >> GROUP_BITS)] = 1;
    }
  }
  for (let i = 0; i < groupCount; i++) {
    const left = i % columns > 0 ? groups[i - 1] : 0;
    const up = i >= columns ? groups[i - columns] : 0;
    groups[i] = coder.bit(groups[i], CONTEXTS.group + left + up);
  }
}

/** Codes whether a cell changes. @param is bits: whether it does, has an owner, moves coarsely */
function codeChanged(coder: BitCoder, near: Neighbourhood, at: number, is: number): number {
  const { changed, fine, stride, colours } = near;
  const up = at - stride;
  const pattern = changed[at - 1] + 2 * changed[up] + 4 * changed[up - 1] + 8 * changed[up + 1];
  const further =
    changed[at - 2] +
    changed[up - stride] +
    changed[up + 2] +
    changed[up - 2] +
    changed[up - stride - 1] +
    changed[up - stride + 1];
  const far = further === 0 ? 0 : further < 3 ? 1 : 2;
  const edge = halfOctave(near.gradient(at));
  const moves = halfOctave(near.movesNear(at) >> ((is & 4) === 0 ? 2 : 4));
  return coder.bit(
    is & 1,
    CONTEXTS.changed + (((is >> 2) * 16 + pattern) * 3 + far) * 2 + ((is >> 1) & 1),
    CONTEXTS.changedPicture + opacity(colours[4 * at + 3]) * HALF_OCTAVES + edge,
    CONTEXTS.changedNear + ((is >> 2) * 16 + moves) * 3 + fine[at - 1] + fine[up],
  );
}

/** A cell whose colours are coded. */
interface ColouredCell {
  readonly x: number;
  readonly y: number;
  /** Its index in the neighbourhood's maps. */
  readonly at: number;
  readonly after: Cells;
  /** 0: in steps; 1: exactly; 2: its owner is new. */
  readonly kind: number;
  /** What differences are multiples of. */
  readonly unit: number;
  /** 1: cells that are not coded exactly have large steps. */
  readonly isCoarse: number;
}

/** @param contexts to fill in */
function codeColours(
  coder: BitCoder,
  near: Neighbourhood,
  contexts: DifferenceContexts,
  { x, y, at, after, kind, unit, isCoarse }: ColouredCell,
): void {
  const { rgba, width } = after;
  const { colours, moves } = near;
  const cell = y * width + x;
  let previous = 0;
  let alpha = 0;
  for (let i = 0; i < 4; i++) {
    const c = CHANNELS[i];
    const old = colours[4 * at + c];
    // A premultiplied colour is at most alpha, which is coded first.
    const most = i === 0 ? 255 : rgba[cell * 4 + 3];
    const from =
      kind === 2
        ? predict(after, x, y, c)
        : kind === 1
          ? old
          : max(0, min(most, old + expectedStep(near, at, i, isCoarse)));
    const room = stepsIn(most - from, unit) * 4 + stepsIn(from, unit);
    const channel = min(2, i);
    const isColour = i === 0 ? 0 : 1;
    const variant = kind * 2 + isCoarse;
    const around = min(11, halfOctave(near.difference(at, i)));
    const before = min(3, lengthOf(abs(alpha))) * 4 + min(3, lengthOf(abs(i > 1 ? previous : 0)));
    contexts.lengthA = CONTEXTS.length + (variant * 12 + around) * LENGTHS;
    contexts.lengthB = CONTEXTS.lengthAfter + ((kind * 3 + channel) * 16 + before) * LENGTHS;
    contexts.lengthC = CONTEXTS.lengthWithin + ((kind * 2 + isColour) * 16 + room) * LENGTHS;
    const pull = near.meanAround(at, c) - from;
    contexts.signA =
      CONTEXTS.sign + ((kind * 2 + isColour) * 9 + near.signs(at, i)) * 3 + signOf(previous);
    contexts.signB = CONTEXTS.signWithin + (kind * 2 + isColour) * 16 + room;
    contexts.signC =
      CONTEXTS.signTowards +
      ((kind * 2 + isColour) * 2 + (pull < 0 ? 1 : 0)) * 12 +
      min(11, halfOctave(abs(pull)));
    contexts.mantissa = CONTEXTS.mantissa + (variant * 2 + isColour) * 8;
    const difference = coder.reads ? 0 : stepsTo(rgba[cell * 4 + c] - from, unit);
    const coded = codeDifference(coder, contexts, difference);
    const value = clamp(from + coded * unit);
    near.record(at, i, coded);
    moves[4 * at + i] = kind === 2 ? coded * unit : value - old;
    previous = coded;
    if (i === 0) alpha = coded;
    rgba[cell * 4 + c] = value;
  }
}
