/**
 * Codes all cells of a chunk: their owners, and their colours as differences from a prediction
 * (`KeyPrediction`). Colours of cells without an owner are not coded, because these cells are
 * always transparent. A coarse key omits the low bits of colours; a refinement adds these bits.
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

const { abs, floor, max, min } = Math;

/**
 * Weights, in 32nds, for predicting red, green and blue. There are three estimates of a channel's
 * value:
 * - plane: left + upper − upper left neighbour;
 * - mean: mean of the left and upper neighbours;
 * - share: alpha × the ratio of the channel to alpha in the left and upper neighbours.
 *
 * The prediction is share + w₀ × (plane − share) + w₁ × 2 × (mean − share), plus a term for each
 * channel of the same cell that is already coded. The first such channel adds
 * w₂ × (value − plane) + w₃ × 2 × (value − mean), with its own value and estimates. The second
 * channel uses w₄ and w₅, and so on.
 *
 * The second group of rows is for opaque cells whose left and upper neighbours are opaque, the
 * first group for all other cells. Each group has one row per channel, in the order of `CHANNELS`.
 */
const WEIGHTS: readonly (readonly (readonly number[])[])[] = [
  [[], [11, 1, 8, 1], [13, 4, 2, 0, 6, 4], [8, 0, 1, -1, -2, -1, 6, 3]],
  [[], [20, 0, 17, 0], [16, 0, -1, 0, 11, 6], [18, 0, 2, 0, 0, -3, 5, 6]],
];

/**
 * Predicts a channel's level from the neighbouring cells and from the cell's channels that are
 * coded earlier. A level is a channel's value without the omitted low bits. There are two
 * predictions; the true level mostly lies between them.
 */
class KeyPrediction {
  /** The main prediction, 0…`top`. */
  from = 0;
  /**
   * The second prediction. For alpha, it is the level of the upper right neighbour. For the other
   * channels, it is the estimate that the comment on `WEIGHTS` calls "share".
   */
  second = 0;
  /**
   * 1 if the channel is red, green or blue, and the cell and its left and upper neighbours are
   * opaque; otherwise 0.
   */
  within: 0 | 1 = 0;

  /**
   * @param levels [rows, stride, 4] levels of the cells coded so far, with a border of zeros
   * @param stride number of cells per row of `levels`, including the border
   * @param top maximum level
   */
  constructor(
    private readonly levels: Uint8Array,
    private readonly stride: number,
    private readonly top: number,
  ) {}

  /**
   * Predicts a channel of a cell. Sets `from`, `second` and `within`.
   *
   * @param at index of the cell
   * @param i index of the channel in `CHANNELS`
   */
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
    this.second = levels[up + 4];
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
    let moves =
      weights[0] * (32 * (sum - levels[corner + c]) - share) + weights[1] * (32 * sum - 2 * share);
    for (let j = 0; j < i; j++) {
      const d = CHANNELS[j];
      const both = levels[left + d] + levels[up + d];
      const before = levels[own + d];
      moves +=
        32 *
        (weights[2 + 2 * j] * (before - both + levels[corner + d]) +
          weights[3 + 2 * j] * (2 * before - both));
    }
    this.from = max(0, min(alpha, (share + (moves >> 5) + 16) >> 5));
    this.second = share >> 5;
  }
}

/** Maps a number of levels to 0 (none), 1 (one) or 2 (more than one). */
const levelsIn = (range: number): number => reaches(range, 1) + reaches(range, 2);

/**
 * Codes all cells of a chunk.
 *
 * @param cells when encoding: the cells to write; if `shift` is not 0, a result of `coarsen`. When
 *   decoding: empty cells, which are replaced with the decoded cells
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
  // Here, `colours` holds the levels of the cells coded so far, and zeros for all other cells.
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
        const pull = prediction.second - from;
        contexts.lengthD = CONTEXTS.keyTowards + (channel * 16 + halfOctave(abs(pull))) * LENGTHS;
        contexts.signA =
          CONTEXTS.keySign +
          (isColour * 9 + signOf(differences[left + i]) * 3 + signOf(differences[up + i])) * 3 +
          signOf(previous);
        contexts.signB = CONTEXTS.keySignWithin + isColour * 9 + room;
        contexts.signC =
          CONTEXTS.keySignTowards + (channel * 2 + (pull >>> 31)) * 16 + halfOctave(abs(pull));
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

/** Returns a channel's level: its value without the lowest `shift` bits. */
const levelAt = (value: number, shift: number): number => value >> shift;
/** Returns the middle of the channel values that have a given level; 255 for the top level. */
const colourAt = (level: number, shift: number): number =>
  shift === 0
    ? level
    : clamp((level << shift) | (level === 255 >> shift ? (1 << shift) - 1 : 1 << (shift - 1)));

/**
 * Returns a copy of cells with the colours that a coarse key can represent.
 *
 * @param shift number of low bits that the coarse key omits, 1…7
 */
export function coarsen(cells: Cells, shift: number): Cells {
  const rgba = cells.rgba.slice();
  for (let i = 0; i < rgba.length; i++) {
    if (cells.owner[i >> 2] !== 0) rgba[i] = colourAt(levelAt(rgba[i], shift), shift);
  }
  return recoloured(cells, rgba);
}

/**
 * Codes the low bits of colours that a coarse key omits.
 *
 * @param cells when encoding: the exact cells. When decoding: the cells from the coarse key, to
 *   which the low bits are added
 * @param shift number of omitted bits, 1…7
 */
export function codeRefinement(coder: BitCoder, cells: Cells, shift: number): void {
  const { owner, rgba } = cells;
  for (let at = 0; at < rgba.length; at++) {
    if (owner[at >> 2] === 0) continue;
    const high = rgba[at] >> shift;
    const kind = ((at & 3) === 3 ? 0 : 1) * 3 + (high === 255 >> shift ? 0 : high === 0 ? 1 : 2);
    // Code the low bits as a path through a binary tree, highest bit first.
    let node = 1;
    for (let b = shift - 1; b >= 0; b--) {
      node = (node << 1) | coder.bit((rgba[at] >> b) & 1, CONTEXTS.low + kind * 128 + node);
    }
    rgba[at] = (high << shift) | (node & ((1 << shift) - 1));
  }
}
