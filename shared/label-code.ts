/**
 * Labels of cells in few bits. A label is expected to equal the label above it; 0 is expected in
 * the first row. The code lists only the exceptions: the number of expected labels before it plus
 * one, in Elias gamma code, and then the label, by its position among the unexpected ones. The last
 * byte is filled up with zeros. After the last exception, all labels are as expected.
 */

/**
 * Encodes labels.
 *
 * @param labels [s, s], 0…count − 1
 * @param count number of different labels, at least 2
 */
export function encodeLabels(labels: Uint8Array, count: number): Uint8Array {
  const bits: number[] = [];
  const put = (value: number, width: number): void => {
    for (let bit = width - 1; bit >= 0; bit--) bits.push((value >> bit) & 1);
  };
  const side = Math.sqrt(labels.length);
  let run = 1;
  for (const [i, label] of labels.entries()) {
    const expected = expectedAt(labels, i, side);
    if (label === expected) {
      run++;
      continue;
    }
    const width = Math.floor(Math.log2(run));
    put(0, width);
    put(run, width + 1);
    put(label < expected ? label : label - 1, choiceWidth(count));
    run = 1;
  }
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, i) => void (bytes[i >> 3] |= bit << (7 - (i & 7))));
  return bytes;
}

/**
 * Decodes labels.
 *
 * @param bytes any bytes
 * @param side side s of the result
 * @param count number of different labels, at least 2
 * @returns [s, s], 0…count − 1; undefined if an exception is beyond the last cell or no label
 */
export function decodeLabels(
  bytes: Uint8Array,
  side: number,
  count: number,
): Uint8Array | undefined {
  const bits = [...bytes].flatMap((byte) =>
    Array.from({ length: 8 }, (_, i) => (byte >> (7 - i)) & 1),
  );
  let at = 0;
  const take = (width: number): number => {
    let value = 0;
    for (const end = at + width; at < end; at++) value = 2 * value + (bits[at] ?? 0);
    return value;
  };
  const takeRun = (): number => {
    const first = bits.indexOf(1, at);
    if (first < 0) return Infinity;
    const width = first - at + 1;
    at = first;
    return take(width) - 1;
  };
  const labels = new Uint8Array(side * side);
  let run = takeRun();
  for (let i = 0; i < labels.length; i++) {
    const expected = expectedAt(labels, i, side);
    labels[i] = expected;
    if (run-- > 0) continue;
    const choice = take(choiceWidth(count));
    if (choice > count - 2) return undefined;
    labels[i] = choice < expected ? choice : choice + 1;
    run = takeRun();
  }
  return run === Infinity ? labels : undefined;
}

const expectedAt = (labels: Uint8Array, i: number, side: number): number =>
  i < side ? 0 : labels[i - side];

/** Number of bits that name one of the unexpected labels. */
const choiceWidth = (count: number): number => Math.ceil(Math.log2(count - 1));

/**
 * Coarsens labels: each result is the most frequent label of a block, the lowest of several.
 *
 * @param labels [S, S], 0…3
 * @param block side of a block, in cells; blocks at the end may be cut off
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
 * Gives all cells of a block its label.
 *
 * @param coarse result of `coarsenLabels`
 * @param side side S of the result
 * @returns [S, S]
 */
export function refineLabels(coarse: Uint8Array, side: number, block: number): Uint8Array {
  const width = Math.ceil(side / block);
  return Uint8Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    return coarse[Math.floor(y / block) * width + Math.floor(x / block)];
  });
}
