/** Paints small pictures of organisms, for galleries and previews. */
import { paintStill, type Still } from './still.ts';

/** Radius and standard deviation of the smoothing, in cells. */
const REACH = 3;
const SPREAD = 2;
/** Standard deviation of the colour differences that are smoothed; the range of a colour is 255. */
const FAINT = 28;

/**
 * Paints a still without the faint bands that the cells' divisions leave. Edges within an organism
 * stay, because only similar colours are smoothed.
 *
 * @returns as `paintStill`
 * @throws as `paintStill`
 */
export const paintThumbnail = (still: Still): ReturnType<typeof paintStill> =>
  paintStill({ ...still, cells: smoothed(still.cells, still.side) });

function smoothed(cells: ArrayLike<number>, side: number): Uint8ClampedArray {
  const result = Uint8ClampedArray.from(cells);
  for (let at = 0; at < cells.length; at += 4) {
    if (cells[at + 3] === 0) continue;
    const [x, y] = [(at >> 2) % side, Math.floor((at >> 2) / side)];
    const sums = [0, 0, 0, 0];
    for (let v = Math.max(0, y - REACH); v <= Math.min(side - 1, y + REACH); v++) {
      for (let u = Math.max(0, x - REACH); u <= Math.min(side - 1, x + REACH); u++) {
        const from = 4 * (v * side + u);
        let square = ((u - x) / SPREAD) ** 2 + ((v - y) / SPREAD) ** 2;
        for (let c = 0; c < 3; c++) square += ((cells[from + c] - cells[at + c]) / FAINT) ** 2;
        const weight = cells[from + 3] * Math.exp(-square / 2);
        for (let c = 0; c < 3; c++) sums[c] += weight * cells[from + c];
        sums[3] += weight;
      }
    }
    for (let c = 0; c < 3; c++) result[at + c] = sums[c] / sums[3];
  }
  return result;
}
