/** Predicts the colours of a cell from the neighbours that are coded before it. */
import type { Cells } from './cells.ts';
import type { Neighbourhood } from './neighbourhood.ts';

/** Looked up once: in a sandbox, access to a global costs more than the arithmetic. */
const { floor, max, min } = Math;

/** Alpha first: premultiplied channels never exceed it. */
export const CHANNELS = [3, 0, 1, 2] as const;

/** The nearest value of a channel, 0…255. @param x any finite number */
export const clamp = (x: number): number => max(0, min(255, x));

/** The median edge detector of JPEG-LS (Weinberger et al. 2000). */
function medianOf(left: number, up: number, corner: number): number {
  if (corner >= max(left, up)) return min(left, up);
  if (corner <= min(left, up)) return max(left, up);
  return left + up - corner;
}

/** What the neighbours of a cell suggest (`medianOf`). @param c channel of RGBA, 0…3 */
export function predict({ rgba, width }: Cells, x: number, y: number, c: number): number {
  const cell = y * width + x;
  const left = x > 0 ? rgba[(cell - 1) * 4 + c] : 0;
  const up = y > 0 ? rgba[(cell - width) * 4 + c] : 0;
  return medianOf(left, up, x > 0 && y > 0 ? rgba[(cell - width - 1) * 4 + c] : 0);
}

/** [class, channel, weights], in 32nds. */
type Weights = readonly (readonly (readonly number[])[])[];

/**
 * How much of each gradient a colour goes along with, in 32nds: of its own plane and mean, and how
 * far each channel before is from its plane and from its mean. First at edges, then inside bodies.
 */
const WEIGHTS: Weights = [
  [[], [11, 1, 8, 1], [13, 4, 2, 0, 6, 4], [8, 0, 1, -1, -2, -1, 6, 3]],
  [[], [20, 0, 17, 0], [16, 0, -1, 0, 11, 6], [18, 0, 2, 0, 0, -3, 5, 6]],
];

/**
 * What the neighbours of a cell and its channels before suggest, in levels: alpha by
 * `medianOf`; a colour by its share of alpha next to it and the gradients around, with weights
 * learned by regression.
 *
 * @param levels [cells, 4] with a border
 * @param stride cells per row of `levels`
 * @param i index into `CHANNELS`
 * @param top largest level
 */
export function predictFrom(
  levels: Uint8Array,
  at: number,
  stride: number,
  i: number,
  top: number,
): number {
  const left = 4 * (at - 1);
  const up = 4 * (at - stride);
  const corner = up - 4;
  const c = CHANNELS[i];
  if (i === 0) return medianOf(levels[left + 3], levels[up + 3], levels[corner + 3]);
  const sum = levels[left + c] + levels[up + c];
  const alpha = levels[4 * at + 3];
  const alphas = levels[left + 3] + levels[up + 3];
  const share = floor(((2 * alpha + 1) * sum * 16) / (alphas + 1));
  const weights = WEIGHTS[alpha === top && alphas === 2 * top ? 1 : 0][i];
  let moves =
    weights[0] * (32 * (sum - levels[corner + c]) - share) + weights[1] * (32 * sum - 2 * share);
  for (let j = 0; j < i; j++) {
    const d = CHANNELS[j];
    const both = levels[left + d] + levels[up + d];
    const own = levels[4 * at + d];
    moves +=
      32 *
      (weights[2 + 2 * j] * (own - both + levels[corner + d]) +
        weights[3 + 2 * j] * (2 * own - both));
  }
  return (share + (moves >> 5) + 16) >> 5;
}

/**
 * How far a channel moves with others, in 32nds: for each channel before, how far the left and the upper
 * neighbour, and this cell have moved in it; then the neighbours in the channel itself, and how far the
 * four neighbours lay from it. First where small changes are sent, then where only large ones are.
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
 * How far a channel is expected to move, in levels: with its neighbours and with the channels
 * before, and towards its neighbours, with weights learned by regression.
 *
 * @param row index into `CHANNELS`; 4 more where only large changes are sent
 * @param around sum of the channel of the four neighbours, before the change
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
