/**
 * Codes the cells of a chunk in full: owners, and colours as differences from a prediction by their
 * neighbours (`KeyPrediction`). Bare cells are always transparent, so their colour is not coded. A
 * coarse key omits the lowest bits of colours, which a refinement adds.
 */
import { type Cells, recoloured } from './chunks.ts';
import * as CONTEXTS from './contexts.ts';
import { LENGTHS } from './contexts.ts';
import {
  CHANNELS,
  clamp,
  differencesAround,
  halfOctave,
  type Neighbourhood,
  reaches,
  shortLengthOf,
  signOf,
} from './neighbourhood.ts';
import type { BitCoder } from './range-coder.ts';
import { codeDifference, createDifferenceContexts, OwnerCoder } from './symbols.ts';

/** Looked up only once, because access to a global in a sandbox costs more than the arithmetic. */
const { abs, floor, max, min } = Math;

/** [class, channel, weight] Weights in 32nds. */
type Weights = readonly (readonly (readonly number[])[])[];

/**
 * Weights of the main prediction of a colour, in 32nds. The first two are for the distances of the
 * colour's plane and mean from its share of alpha. Then, for each already coded channel, two
 * weights are for the distances of its value from its plane and mean. Distances from a mean are
 * doubled. The first class of weights is for edges, the second for the inside of bodies.
 *
 * A channel's plane is its left plus its upper minus its upper left neighbour; its mean is that of
 * the left and upper neighbours. A colour's share of alpha is the value at which its ratio to alpha
 * equals that of these two neighbours.
 */
const WEIGHTS: Weights = [
  [[], [11, 1, 8, 1], [13, 4, 2, 0, 6, 4], [8, 0, 1, -1, -2, -1, 6, 3]],
  [[], [20, 0, 17, 0], [16, 0, -1, 0, 11, 6], [18, 0, 2, 0, 0, -3, 5, 6]],
];

/**
 * Weights of a second prediction of a colour, in 32nds. The first six are for the distances of six
 * neighbours (left, upper, upper left, upper right, second left, second upper) from the colour's
 * share of alpha (see `WEIGHTS`). Then, for each already coded channel, four weights are for the
 * distances of its value from the first four neighbours.
 */
const FURTHER: Weights[number] = [
  [],
  [19, 13, -15, 3, -1, -1, 14, 10, -11, 2],
  [23, 15, -15, 5, -1, -1, 1, 0, -2, 0, 16, 11, -10, 3],
  [16, 10, -12, 4, -2, -2, 1, 0, -2, 1, -6, -4, 4, -2, 13, 9, -8, 2],
];

/**
 * Predicts a channel, in levels, from a cell's neighbours and its already coded channels, with
 * weights learned by regression. If two predictions differ, the value mostly lies between them.
 */
export class KeyPrediction {
  /** The main prediction, 0…`top`. */
  from = 0;
  /** A second prediction, in eighths of a level, any integer. */
  second = 0;
  /** A third prediction, in levels. For a colour, its ratio to alpha is that of the neighbours. */
  third = 0;
  /** 1 for colours inside a body, where all neighbours are opaque. */
  within: 0 | 1 = 0;

  /**
   * @param levels [cells, 4] with a border
   * @param stride cells per row of `levels`
   * @param top maximum level
   */
  constructor(
    private readonly levels: Uint8Array,
    private readonly stride: number,
    private readonly top: number,
  ) {}

  /** Predicts a channel. @param at index of the cell @param i index into `CHANNELS` */
  predict(at: number, i: number): void {
    const own = 4 * at;
    if (i === 0) this.predictAlpha(own);
    else this.predictColour(own, i);
  }

  private predictAlpha(own: number): void {
    const { levels, stride, top } = this;
    const left = own - 1;
    const up = own - 4 * stride + 3;
    const sum =
      28 * levels[left] +
      24 * levels[up] -
      16 * levels[up - 4] +
      5 * levels[up + 4] -
      3 * levels[left - 4] -
      5 * levels[up - 4 * stride];
    this.from = max(0, min(top, (sum + 38) >> 5));
    this.within = 0;
    this.third = levels[up + 4];
    this.second = 8 * this.third;
  }

  private predictColour(own: number, i: number): void {
    const { levels, stride, top } = this;
    const left = own - 4;
    const up = own - 4 * stride;
    const corner = up - 4;
    const c = CHANNELS[i];
    const sum = levels[left + c] + levels[up + c];
    const alpha = levels[own + 3];
    const alphas = levels[left + 3] + levels[up + 3];
    const share = floor(((2 * alpha + 1) * sum * 16) / (alphas + 1));
    this.within = alpha === top && alphas === 2 * top ? 1 : 0;
    const weights = WEIGHTS[this.within][i];
    const further = FURTHER[i];
    let moves =
      weights[0] * (32 * (sum - levels[corner + c]) - share) + weights[1] * (32 * sum - 2 * share);
    let others =
      further[0] * (32 * levels[left + c] - share) +
      further[1] * (32 * levels[up + c] - share) +
      further[2] * (32 * levels[corner + c] - share) +
      further[3] * (32 * levels[up + 4 + c] - share) +
      further[4] * (32 * levels[left - 4 + c] - share) +
      further[5] * (32 * levels[up - 4 * stride + c] - share);
    for (let j = 0; j < i; j++) {
      const d = CHANNELS[j];
      const both = levels[left + d] + levels[up + d];
      const before = levels[own + d];
      const k = 6 + 4 * j;
      moves +=
        32 *
        (weights[2 + 2 * j] * (before - both + levels[corner + d]) +
          weights[3 + 2 * j] * (2 * before - both));
      others +=
        32 *
        (further[k] * (before - levels[left + d]) +
          further[k + 1] * (before - levels[up + d]) +
          further[k + 2] * (before - levels[corner + d]) +
          further[k + 3] * (before - levels[up + 4 + d]));
    }
    this.from = max(0, min(alpha, (share + (moves >> 5) + 16) >> 5));
    this.second = (share + (others >> 5)) >> 2;
    this.third = share >> 5;
  }
}

/** Returns how many levels fit into a range: 0 for none, 1 for one, 2 for more. */
const levelsIn = (range: number): number => reaches(range, 1) + reaches(range, 2);

/**
 * Codes a chunk in full.
 *
 * @param cells for a writer: the cells to write, which stay unchanged; if `shift` is not 0, call
 *   `coarsen` on them first. For a reader: empty cells to fill in
 * @param shift number of low bits of each colour to omit, 0…7
 * @param neighbourhood working memory
 */
export function codeKey(
  coder: BitCoder,
  cells: Cells,
  shift: number,
  neighbourhood: Neighbourhood,
): void {
  const { width, height, owner, rgba } = cells;
  const owners = new OwnerCoder(coder);
  const contexts = createDifferenceContexts();
  neighbourhood.clear(cells);
  // The neighbourhood holds levels in place of colours, and only of the cells coded so far.
  const { colours: levels, differences, stride } = neighbourhood;
  const top = 255 >> shift;
  const prediction = new KeyPrediction(levels, stride, top);
  for (let y = 0, cell = 0; y < height; y++) {
    for (let x = 0; x < width; x++, cell++) {
      owners.codeKey(cells, x, y);
      if (owner[cell] === 0) continue;
      const at = neighbourhood.indexOf(x, y);
      const own = 4 * at;
      const left = own - 4;
      const up = own - 4 * stride;
      let previous = 0;
      let alpha = 0;
      for (let i = 0; i < 4; i++) {
        const c = CHANNELS[i];
        const most = i === 0 ? top : levels[own + 3];
        prediction.predict(at, i);
        const { from } = prediction;
        const room = levelsIn(most - from) * 3 + levelsIn(from);
        const channel = min(2, i);
        const isColour = i === 0 ? 0 : 1;
        const around = differencesAround(differences, left + i, up + i);
        const before =
          i === 0
            ? halfOctave(abs(levels[left + 3] - levels[up + 3]))
            : shortLengthOf(alpha) * 4 + shortLengthOf(previous);
        contexts.lengthA = CONTEXTS.key + (channel * 12 + around) * LENGTHS;
        contexts.lengthB = CONTEXTS.keyAfter + (channel * 16 + before) * LENGTHS;
        contexts.lengthC =
          CONTEXTS.keyWithin + ((isColour + prediction.within) * 9 + room) * LENGTHS;
        const further = prediction.third - from;
        const pull = prediction.second - 8 * from;
        contexts.lengthD =
          CONTEXTS.keyTowards + (channel * 16 + halfOctave(abs(further))) * LENGTHS;
        contexts.signA =
          CONTEXTS.keySign +
          (isColour * 9 + signOf(differences[left + i]) * 3 + signOf(differences[up + i])) * 3 +
          signOf(previous);
        contexts.signB = CONTEXTS.keySignWithin + isColour * 9 + room;
        contexts.signC =
          CONTEXTS.keySignTowards + (channel * 2 + (pull >>> 31)) * 16 + halfOctave(abs(pull));
        contexts.signD =
          CONTEXTS.keySignFurther +
          (channel * 2 + (further >>> 31)) * 16 +
          halfOctave(abs(further));
        contexts.mantissa = CONTEXTS.keyMantissa + isColour * 8;
        const wanted = levelAt(rgba[cell * 4 + c], shift);
        previous = codeDifference(coder, contexts, wanted - from);
        if (i === 0) alpha = previous;
        differences[own + i] = previous;
        const level = clamp(from + previous);
        levels[own + c] = level;
        rgba[cell * 4 + c] = colourAt(level, shift);
      }
    }
  }
}

/** Converts a colour to its level, omitting the lowest `shift` bits. */
const levelAt = (value: number, shift: number): number => value >> shift;
/** Converts a level to the colour that represents it. */
const colourAt = (level: number, shift: number): number =>
  shift === 0
    ? level
    : clamp((level << shift) | (level === 255 >> shift ? (1 << shift) - 1 : 1 << (shift - 1)));

/** Returns the cells as decoded from a coarse key. @param shift number of low bits omitted, 1…7 */
export function coarsen(cells: Cells, shift: number): Cells {
  const rgba = cells.rgba.slice();
  for (let i = 0; i < rgba.length; i++) {
    if (cells.owner[i >> 2] !== 0) rgba[i] = colourAt(levelAt(rgba[i], shift), shift);
  }
  return recoloured(cells, rgba);
}

/**
 * Number of bits that hold the sum of up to four colours. The bits above hold the number of
 * neighbours.
 */
const COUNT_BITS = 10;
/**
 * Returns a neighbour's colour, plus a count of 1 in the bits above it. Returns 0 if the colour
 * differs from this cell's colour by more than `reach`.
 */
const countOf = (colour: number, own: number, reach: number): number =>
  abs(colour - own) <= reach ? colour + (1 << COUNT_BITS) : 0;

/**
 * Number of contexts, in `lowExpected` and `lowWithin`, for the nodes of the binary tree of low
 * bits. All further nodes share the last context.
 */
const NODES = 16;

/**
 * Codes the low bits that a coarse key omits. Contexts depend on alpha and on the neighbours; the
 * left and upper neighbours are already exact.
 *
 * @param cells for a writer: the exact cells, which stay unchanged; for a reader: the cells decoded
 *   from the coarse key, which become exact
 * @param shift number of low bits that the key omits, 1…7
 */
export function codeRefinement(coder: BitCoder, cells: Cells, shift: number): void {
  const { width, height, owner, rgba } = cells;
  const { rgba: coarse } = coder.reads ? cells : coarsen(cells, shift);
  const last = (1 << shift) - 1;
  const reach = 4 * last;
  for (let y = 0, cell = 0; y < height; y++) {
    for (let x = 0; x < width; x++, cell++) {
      if (owner[cell] === 0) continue;
      for (let i = 0; i < 4; i++) {
        const at = cell * 4 + CHANNELS[i];
        const high = rgba[at] >> shift;
        const base = high << shift;
        const kind = (i === 0 ? 0 : 1) * 3 + (high === 255 >> shift ? 0 : high === 0 ? 1 : 2);
        // Count only neighbours of a similar colour, because others do not help to predict.
        const own = coarse[at];
        const counted =
          (x > 0 ? countOf(rgba[at - 4], own, reach) : 0) +
          (y > 0 ? countOf(rgba[at - 4 * width], own, reach) : 0) +
          (x + 1 < width ? countOf(coarse[at + 4], own, reach) : 0) +
          (y + 1 < height ? countOf(coarse[at + 4 * width], own, reach) : 0);
        const near = counted >> COUNT_BITS;
        const sum = counted & ((1 << COUNT_BITS) - 1);
        const offset = near === 0 ? 0 : Math.round(((sum / near - base) * 8) / (last + 1));
        const expected = near === 0 ? 15 : max(-3, min(11, offset)) + 3;
        const within = i === 0 ? 8 : max(0, min(8, ((rgba[cell * 4 + 3] - base) * 8) >> shift));
        // Code the low bits as a path through a binary tree, highest bit first.
        let node = 1;
        for (let b = shift - 1; b >= 0; b--) {
          const branch = min(NODES - 1, node);
          const bit = coder.bit(
            (rgba[at] >> b) & 1,
            CONTEXTS.low + kind * 128 + node,
            CONTEXTS.lowExpected + ((i === 0 ? 0 : 1) * 16 + expected) * NODES + branch,
            CONTEXTS.lowWithin + within * NODES + branch,
          );
          node = (node << 1) | bit;
        }
        rgba[at] = base | (node & last);
      }
    }
  }
}
