/**
 * Compresses the labels of a square of cells. Each label is predicted from its neighbours to the
 * left and above.
 */
import { type BitCoder, RangeReader, RangeWriter, UNIT } from './codec/range-coder.ts';

/**
 * Number of contexts for the bit that says whether a label differs from its prediction. Three
 * comparisons between neighbouring labels select one of these contexts (2³ = 8).
 */
const EDGES = 8;
/** Returns the initial log-odds of all contexts. Wrong predictions are assumed to be rare. */
const odds = (count: number): Int16Array =>
  Int16Array.from({ length: 1 + EDGES + count }, (_, i) =>
    i === 0 || i > EDGES ? 0 : (i === EDGES ? -5 : -1) * UNIT,
  );

/**
 * Writes `labels` if the coder is a writer. Fills `labels` if the coder is a reader.
 *
 * @param labels labels of a square of cells, row by row
 * @param count number of different labels, at least 2
 */
function code(coder: BitCoder, labels: Uint8Array, count: number): void {
  const side = Math.sqrt(labels.length);
  const at = (x: number, y: number): number =>
    Math.min(x, y) < 0 ? 0 : (labels[y * side + x] ?? 0);
  for (let i = 0; i < labels.length; i++) {
    const [x, y] = [i % side, Math.floor(i / side)];
    const [left, above, corner] = [at(x - 1, y), at(x, y - 1), at(x - 1, y - 1)];
    const next = at(Math.min(x + 1, side - 1), y - 1);
    const expected = left === corner ? above : left;
    const edges =
      Number(left === corner) + 2 * Number(above === corner) + 4 * Number(above === next);
    if (coder.bit(Number(labels[i] !== expected), 1 + edges) === 0) {
      labels[i] = expected;
      continue;
    }
    const others = Array.from({ length: count }, (_, one) => one).filter((one) => one !== expected);
    const last = others.pop()!;
    labels[i] =
      others.find((one) => coder.bit(Number(labels[i] === one), 1 + EDGES + one) === 1) ?? last;
  }
}

/**
 * Encodes labels.
 *
 * @param labels labels of a square of cells, row by row, 0…count − 1
 * @param count number of different labels, at least 2
 */
export function encodeLabels(labels: Uint8Array, count: number): Uint8Array {
  const writer = new RangeWriter(odds(count));
  code(writer, labels, count);
  return writer.finish();
}

/**
 * Decodes labels.
 *
 * @param bytes result of `encodeLabels`; any other bytes decode to arbitrary labels
 * @param side side length of the square, in cells
 * @param count number of different labels, at least 2
 * @returns [side, side], 0…count − 1
 */
export function decodeLabels(bytes: Uint8Array, side: number, count: number): Uint8Array {
  const labels = new Uint8Array(side * side);
  code(new RangeReader(odds(count), bytes), labels, count);
  return labels;
}

/**
 * Returns the most frequent label of each block of cells; in a tie, the lowest label.
 *
 * @param labels [S, S], 0…3
 * @param block side length of a block, in cells; blocks at the right and bottom edges may be
 *   smaller
 * @returns [⌈S / block⌉, ⌈S / block⌉]
 */
export function coarsenLabels(labels: Uint8Array, block: number): Uint8Array {
  const side = Math.sqrt(labels.length);
  const coarse = Math.ceil(side / block);
  const counts = Array.from({ length: coarse * coarse }, () => [0, 0, 0, 0]);
  labels.forEach((label, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    counts[Math.floor(y / block) * coarse + Math.floor(x / block)][label]++;
  });
  return Uint8Array.from(counts, (each) => each.indexOf(Math.max(...each)));
}

/**
 * Returns one label per cell: all cells of a block get the block's label.
 *
 * @param coarse result of `coarsenLabels`
 * @param side side length S of the result, in cells
 * @param block side length of a block, in cells
 * @returns [S, S]
 */
export function refineLabels(coarse: Uint8Array, side: number, block: number): Uint8Array {
  const width = Math.ceil(side / block);
  return Uint8Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    return coarse[Math.floor(y / block) * width + Math.floor(x / block)];
  });
}
