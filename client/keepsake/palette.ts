/** The 256 colours that come nearest to those of some pictures, by cutting the space of colours at its medians. */

const COLORS = 256;
/** Colours are told apart to 5 bits a channel. */
const BITS = 5;
const LEVELS = 1 << BITS;
/** Steps of ordered dithering, 4×4. */
const BAYER = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5];
const DITHER = 7;

export interface Palette {
  /** [256 × 3] */
  readonly colors: Uint8Array;
  /** By colour of 5 bits a channel: the nearest of the palette. */
  readonly nearest: Uint8Array;
}

interface Box {
  readonly entries: readonly number[];
  readonly weight: number;
  readonly channel: number;
  readonly spread: number;
}

const keyOf = (r: number, g: number, b: number): number =>
  ((r >> 3) << (2 * BITS)) | ((g >> 3) << BITS) | (b >> 3);
const channelOf = (key: number, channel: number): number =>
  (key >> (BITS * (2 - channel))) & (LEVELS - 1);
const wide = (level: number): number => (level << 3) | (level >> 2);

/** @param pictures RGBA, all opaque */
export function paletteOf(pictures: readonly Uint8ClampedArray[]): Palette {
  const counts = new Uint32Array(LEVELS ** 3);
  for (const picture of pictures) {
    for (let i = 0; i < picture.length; i += 4) {
      counts[keyOf(picture[i], picture[i + 1], picture[i + 2])]++;
    }
  }
  const boxOf = (entries: readonly number[]): Box => {
    const spreads = [0, 1, 2].map((c) => {
      let [least, most] = [LEVELS, 0];
      for (const entry of entries) {
        least = Math.min(least, channelOf(entry, c));
        most = Math.max(most, channelOf(entry, c));
      }
      return most - least;
    });
    const spread = Math.max(...spreads);
    const weight = entries.reduce((sum, entry) => sum + counts[entry], 0);
    return { entries, weight, spread, channel: spreads.indexOf(spread) };
  };
  const used: number[] = [];
  counts.forEach((count, key) => {
    if (count > 0) used.push(key);
  });
  let boxes = [boxOf(used)];
  while (boxes.length < COLORS) {
    const largest = boxes.reduce((best, box) => (urgency(box) > urgency(best) ? box : best));
    if (largest.spread === 0) break;
    boxes = boxes.filter((box) => box !== largest);
    boxes.push(...halves(largest, counts).map(boxOf));
  }
  const colors = new Uint8Array(3 * COLORS);
  boxes.forEach(({ entries, weight }, i) => {
    for (let c = 0; c < 3; c++) {
      const sum = entries.reduce(
        (all, entry) => all + counts[entry] * wide(channelOf(entry, c)),
        0,
      );
      colors[3 * i + c] = Math.round(sum / Math.max(1, weight));
    }
  });
  return { colors, nearest: nearestOf(colors, boxes.length) };
}

const urgency = ({ spread, weight }: Box): number => spread ** 2 * Math.sqrt(weight);

function halves({ entries, channel, weight }: Box, counts: Uint32Array): number[][] {
  const sorted = [...entries].sort((a, b) => channelOf(a, channel) - channelOf(b, channel));
  let [at, sum] = [0, 0];
  while (at < sorted.length - 1 && sum + counts[sorted[at]] <= weight / 2) {
    sum += counts[sorted[at++]];
  }
  const cut = Math.max(1, at);
  return [sorted.slice(0, cut), sorted.slice(cut)];
}

function nearestOf(colors: Uint8Array, count: number): Uint8Array {
  const nearest = new Uint8Array(LEVELS ** 3);
  for (let key = 0; key < nearest.length; key++) {
    const [r, g, b] = [0, 1, 2].map((c) => wide(channelOf(key, c)));
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i++) {
      const [dr, dg, db] = [r - colors[3 * i], g - colors[3 * i + 1], b - colors[3 * i + 2]];
      const distance = 2 * dr * dr + 4 * dg * dg + 3 * db * db;
      if (distance >= best) continue;
      best = distance;
      nearest[key] = i;
    }
  }
  return nearest;
}

/** A picture in colours of a palette, dithered so that soft light has no steps. */
export function indexed(
  picture: Uint8ClampedArray,
  width: number,
  { nearest }: Palette,
): Uint8Array {
  const pixels = new Uint8Array(picture.length / 4);
  for (let i = 0; i < pixels.length; i++) {
    const shift =
      (BAYER[((Math.floor(i / width) & 3) << 2) | ((i % width) & 3)] / 15 - 0.5) * DITHER;
    const level = (value: number): number => Math.max(0, Math.min(255, value + shift));
    const [r, g, b] = [picture[4 * i], picture[4 * i + 1], picture[4 * i + 2]];
    pixels[i] = nearest[keyOf(level(r), level(g), level(b))];
  }
  return pixels;
}
