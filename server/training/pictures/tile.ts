/** Square pictures of organisms and training images, as sheets show them. */
import { createReadout, type Visible } from '../../vnca/readout.ts';

/** A square picture. */
export interface Tile {
  readonly side: number;
  /** [side, side, 4], straight alpha as in PNG; empty cells are transparent. */
  readonly rgba: Uint8ClampedArray;
}

/**
 * Pictures of grown states: premultiplied RGBA; probabilities as white ink; mixtures by their mean
 * colour.
 *
 * @param states [N, side, side, C]
 * @returns N tiles
 * @throws RangeError the length is not a whole number of patches
 */
export function tilesOfStates(card: Visible, states: Float32Array, side: number): Tile[] {
  const cells = side * side;
  const size = cells * card.channels;
  if (states.length % size !== 0) {
    throw new RangeError(`${states.length} numbers are no patches of ${size}`);
  }
  const read = createReadout(card);
  const premultiplied = new Uint8Array(4 * cells);
  const presence = new Uint8Array(cells);
  return Array.from({ length: states.length / size }, (_, n) => {
    read(states, n * size, premultiplied, presence);
    return { side, rgba: straight(premultiplied) };
  });
}

/**
 * The picture of a training image.
 *
 * @param pixels [N, side, side, channels], 0…255; 1 channel: ink, 3: RGB, 4: premultiplied RGBA
 * @throws RangeError there is no such image
 */
export function tileOfImage(
  pixels: Uint8Array,
  side: number,
  channels: 1 | 3 | 4,
  index: number,
): Tile {
  const cells = side * side;
  const size = cells * channels;
  const image = pixels.subarray(index * size, (index + 1) * size);
  if (image.length !== size) throw new RangeError(`there is no image ${index}`);
  const premultiplied = new Uint8Array(4 * cells);
  for (let i = 0; i < cells; i++) {
    const from = i * channels;
    if (channels === 1) premultiplied.fill(image[from], 4 * i, 4 * i + 4);
    else {
      premultiplied.set(image.subarray(from, from + channels), 4 * i);
      if (channels === 3) premultiplied[4 * i + 3] = 255;
    }
  }
  return { side, rgba: straight(premultiplied) };
}

/** Enlarges a tile to `side`, a multiple of its own, by repeating cells. */
export function enlarged(tile: Tile, side: number): Tile {
  const factor = side / tile.side;
  const rgba = new Uint8ClampedArray(4 * side * side);
  for (let cell = 0; cell < side * side; cell++) {
    const y = Math.floor(Math.floor(cell / side) / factor);
    const from = 4 * (y * tile.side + Math.floor((cell % side) / factor));
    rgba.set(tile.rgba.subarray(from, from + 4), 4 * cell);
  }
  return { side, rgba };
}

/** Divides colours by alpha and clamps those above alpha, which a rule can produce. */
export function straight(premultiplied: Uint8Array): Uint8ClampedArray {
  const rgba = new Uint8ClampedArray(premultiplied.length);
  for (let at = 0; at < rgba.length; at += 4) {
    const alpha = premultiplied[at + 3];
    if (alpha === 0) continue;
    for (let c = 0; c < 3; c++) rgba[at + c] = (premultiplied[at + c] * 255) / alpha;
    rgba[at + 3] = alpha;
  }
  return rgba;
}
