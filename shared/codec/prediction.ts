/** Predicts the colours of a cell from the neighbours that are coded before it. */
import type { Cells } from './cells.ts';
import type { Neighbourhood } from './neighbourhood.ts';

/** Looked up only once, because access to a global in a sandbox costs more than the arithmetic. */
const { floor, max, min } = Math;

/** Channels in coding order. Alpha is first, because premultiplied colours never exceed it. */
export const CHANNELS = [3, 0, 1, 2] as const;

/** Clamps a number to the range of a channel, 0…255. @param x any finite number */
export const clamp = (x: number): number => max(0, min(255, x));

/** Predicts a value with the median edge detector of JPEG-LS (Weinberger et al. 2000). */
function medianOf(left: number, up: number, corner: number): number {
  if (corner >= max(left, up)) return min(left, up);
  if (corner <= min(left, up)) return max(left, up);
  return left + up - corner;
}

/** Predicts a channel from the neighbours of a cell (`medianOf`). @param c channel of RGBA, 0…3 */
export function predict({ rgba, width }: Cells, x: number, y: number, c: number): number {
  const cell = y * width + x;
  const left = x > 0 ? rgba[(cell - 1) * 4 + c] : 0;
  const up = y > 0 ? rgba[(cell - width) * 4 + c] : 0;
  return medianOf(left, up, x > 0 && y > 0 ? rgba[(cell - width - 1) * 4 + c] : 0);
}

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

/**
 * Weights for predicting how far a channel moves, in 32nds. For each already coded channel, there
 * are two weights: for the movement of the left and upper neighbours, and for the movement of this
 * cell. The last two weights are for the channel itself: for the movement of the left and upper
 * neighbours, and for how far the four neighbours were from this cell before the change. Rows 0…3
 * are for small steps, rows 4…7 for large steps.
 */
const STEPS: Weights[number] = [
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
export function expectedStep(
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
