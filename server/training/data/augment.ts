/**
 * Augments training images: mirrors, shifts and shrinks them, changes their colours, or turns them
 * into line drawings.
 */
import type { Random } from '../../../shared/random.ts';
import type { TrainingConfig } from '../config.ts';
import type { Dataset } from './dataset.ts';

type Size = Pick<Dataset, 'side' | 'channels'>;

/**
 * Draws a random seed for the augmentation of one image: an integer below 2²⁴, which a float32
 * represents exactly.
 */
export const newLook = (random: Random): number => random.integer(2 ** 24);

/**
 * Augments images in place, each in a different random way. The result depends only on the
 * arguments.
 *
 * Shifting an image uncovers pixels at its edge. In images with 1 channel (ink) or 4 channels
 * (premultiplied RGBA), these pixels become empty. In images with 3 channels (RGB), they repeat the
 * image's edge. Only RGBA images are recoloured or turned into line drawings.
 *
 * @param images [n, side, side, channels], 0…1
 * @returns whether any image was changed
 */
export function augmentImages(
  images: Float32Array,
  size: Size,
  augmentation: Partial<TrainingConfig['augment']>,
  random: Random,
): boolean {
  const { side, channels } = size;
  const { flip = false, shift = 0, shrink = 0 } = augmentation;
  const { recolour = 0, lines = 0, untouched = 0 } = augmentation;
  const numbers = side * side * channels;
  let isChanged = false;
  for (let from = 0; from < images.length; from += numbers) {
    const dx = random.integer(2 * shift + 1) - shift;
    const dy = random.integer(2 * shift + 1) - shift;
    const mirror = random.uniform() < 0.5 && flip;
    const image = images.subarray(from, from + numbers);
    if (untouched > 0 && random.uniform() < untouched) continue;
    isChanged ||= shrink > 0 || dx !== 0 || dy !== 0 || mirror;
    if (shrink > 0) makeSmaller(image, size, 1 - shrink * random.uniform());
    if (dx !== 0 || dy !== 0 || mirror) move(image, size, { dx, dy, mirror });
    if (channels !== 4) continue;
    if (recolour > 0 && random.uniform() < recolour) {
      turnColours(image, random);
      isChanged = true;
    }
    if (lines > 0 && random.uniform() < lines) {
      drawLines(image, side, random);
      isChanged = true;
    }
  }
  return isChanged;
}

function move(
  image: Float32Array,
  { side, channels }: Size,
  { dx, dy, mirror }: { readonly dx: number; readonly dy: number; readonly mirror: boolean },
): void {
  const inside = (i: number) => (channels === 3 ? Math.min(Math.max(i, 0), side - 1) : i);
  const original = image.slice();
  for (let cell = 0; cell < side * side; cell++) {
    const [x, y] = [cell % side, Math.floor(cell / side)];
    const sourceY = inside(y - dy);
    const shifted = inside(x - dx);
    const sourceX = mirror ? side - 1 - shifted : shifted;
    const empty = sourceY < 0 || sourceY >= side || sourceX < 0 || sourceX >= side;
    const source = (sourceY * side + sourceX) * channels;
    for (let c = 0; c < channels; c++) {
      image[cell * channels + c] = empty ? 0 : original[source + c];
    }
  }
}

/** Number of samples per pixel, in x and in y, when a picture is shrunk. */
const SAMPLES = 3;

/** Shrinks an image towards its middle, in place. Pixels around the smaller image become empty. */
function makeSmaller(image: Float32Array, { side, channels }: Size, scale: number): void {
  const original = image.slice();
  image.fill(0);
  const sourceOf = (x: number): number => Math.floor((x - side / 2) / scale + side / 2);
  for (let cell = 0; cell < side * side; cell++) {
    const [x, y] = [cell % side, Math.floor(cell / side)];
    for (let i = 0; i < SAMPLES ** 2; i++) {
      const u = sourceOf(x + ((i % SAMPLES) + 0.5) / SAMPLES);
      const v = sourceOf(y + (Math.floor(i / SAMPLES) + 0.5) / SAMPLES);
      if (u < 0 || u >= side || v < 0 || v >= side) continue;
      const source = (v * side + u) * channels;
      for (let c = 0; c < channels; c++) {
        image[cell * channels + c] += original[source + c] / SAMPLES ** 2;
      }
    }
  }
}

/** Changes hue, saturation and brightness of a premultiplied RGBA image at random, in place. */
function turnColours(image: Float32Array, random: Random): void {
  const angle = 2 * Math.PI * random.uniform();
  const strength = 0.5 + 0.7 * random.uniform();
  const brightness = 0.8 + 0.4 * random.uniform();
  const [cos, sin] = [strength * Math.cos(angle), (strength * Math.sin(angle)) / Math.sqrt(3)];
  for (let at = 0; at < image.length; at += 4) {
    const [r, g, b, alpha] = image.subarray(at, at + 4);
    const grey = (r + g + b) / 3;
    [
      grey + cos * (r - grey) + sin * (b - g),
      grey + cos * (g - grey) + sin * (r - b),
      grey + cos * (b - grey) + sin * (g - r),
    ].forEach((value, c) => {
      image[at + c] = Math.min(alpha, Math.max(0, brightness * value));
    });
  }
}

/**
 * Parameters of line drawings. `FAINTEST`: minimum strength of an edge that becomes a line.
 * `CONTRAST`: rise of a line's opacity per unit of an edge's strength.
 */
const FAINTEST = 0.18;
const CONTRAST = 3;

/**
 * Replaces a premultiplied RGBA image with a line drawing of its edges, in place. All lines of a
 * drawing have one colour: almost black in half of the drawings, random in the other half.
 */
function drawLines(image: Float32Array, side: number, random: Random): void {
  const isBlack = random.uniform() < 0.5;
  const colour = [0, 1, 2].map(() => (isBlack ? 0.08 : random.uniform()));
  const fill = random.uniform() < 0.4 ? 0.9 : 0;
  const original = image.slice();
  const at = (x: number, y: number, c: number): number =>
    x < 0 || x >= side || y < 0 || y >= side ? 0 : original[(y * side + x) * 4 + c];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      let edge = 0;
      for (let c = 0; c < 4; c++) {
        const gx = at(x + 1, y, c) - at(x - 1, y, c);
        const gy = at(x, y + 1, c) - at(x, y - 1, c);
        edge = Math.max(edge, Math.hypot(gx, gy) / 2);
      }
      const ink = Math.min(1, Math.max(0, (edge - FAINTEST) * CONTRAST));
      const cell = (y * side + x) * 4;
      for (let c = 0; c < 4; c++) {
        const under = fill * original[cell + c];
        image[cell + c] = ink * (c === 3 ? 1 : colour[c]) + (1 - ink) * under;
      }
    }
  }
}

/**
 * Returns a shifted copy of a square of cells. Cells shifted beyond the edge are lost. Uncovered
 * cells become zero.
 *
 * @param map [side, side, c] values of the cells
 * @param dx shift to the right, in cells
 * @param dy shift downwards, in cells
 */
export function moved<T extends Uint8Array | Float32Array>(
  map: T,
  side: number,
  dx: number,
  dy: number,
): T {
  const channels = map.length / side ** 2;
  const result = map.slice().fill(0) as T;
  const width = side - Math.abs(dx);
  for (let y = Math.max(0, dy); y < Math.min(side, side + dy); y++) {
    const from = (y - dy) * side + Math.max(0, -dx);
    const row = map.subarray(from * channels, (from + width) * channels);
    result.set(row, (y * side + Math.max(0, dx)) * channels);
  }
  return result;
}

/**
 * Shrinks images by averaging blocks of pixels.
 *
 * @param images [n, side, side, channels]
 * @param to new side, a divisor of `side`
 * @returns [n, to, to, channels]
 */
export function shrink(
  images: Float32Array,
  side: number,
  to: number,
  channels: number,
): Float32Array {
  const block = side / to;
  const count = images.length / (side * side * channels);
  const small = new Float32Array(count * to * to * channels);
  for (let i = 0; i < images.length; i++) {
    const c = i % channels;
    const cell = Math.floor(i / channels);
    const x = Math.floor((cell % side) / block);
    const y = Math.floor((Math.floor(cell / side) % side) / block);
    const n = Math.floor(cell / (side * side));
    small[((n * to + y) * to + x) * channels + c] += images[i] / (block * block);
  }
  return small;
}
