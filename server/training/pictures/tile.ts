/** One picture of an organism or of a training image, as sheets show it. */
import { createReadout, toByte, type Visible } from '../../vnca/readout.ts';

export interface Tile {
  readonly side: number;
  /** [side, side, 4], straight alpha, as PNG has it. What shows nothing is clear. */
  readonly rgba: Uint8ClampedArray;
}

/** What a tile has where nothing is. */
export const clearTile = (side: number): Tile => ({
  side,
  rgba: new Uint8ClampedArray(4 * side * side),
});

/**
 * What grown states show: premultiplied RGBA as it is; probabilities as white ink; mixtures by their mean colour.
 *
 * @param states [N, side, side, C]
 * @returns N tiles
 * @throws RangeError the states are no whole number of patches
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
 * A training image.
 *
 * @param pixels [N, side, side, channels], 0…255; 1 channel: ink, 3: RGB, 4: premultiplied RGBA
 * @param index which of the N
 * @throws RangeError there is no such image, or no such number of channels
 */
export function tileOfImage(
  pixels: Uint8Array,
  side: number,
  channels: number,
  index: number,
): Tile {
  const cells = side * side;
  const size = cells * channels;
  const image = pixels.subarray(index * size, (index + 1) * size);
  if (image.length !== size) throw new RangeError(`there is no image ${index}`);
  const premultiplied = new Uint8Array(4 * cells);
  for (let i = 0; i < cells; i++) {
    const from = i * channels;
    switch (channels) {
      case 1:
        premultiplied.fill(image[from], 4 * i, 4 * i + 4);
        break;
      case 3:
        premultiplied.set(image.subarray(from, from + 3), 4 * i);
        premultiplied[4 * i + 3] = 255;
        break;
      case 4:
        premultiplied.set(image.subarray(from, from + 4), 4 * i);
        break;
      default:
        throw new RangeError(`images have 1, 3 or 4 channels, not ${channels}`);
    }
  }
  return { side, rgba: straight(premultiplied) };
}

/**
 * As `tileOfImage`, from one image of fractions 0…1 (beyond is clamped), as a training batch holds it.
 *
 * @param values [side, side, channels]
 */
export const tileOfValues = (values: Float32Array, side: number, channels: number): Tile =>
  tileOfImage(Uint8Array.from(values, toByte), side, channels, 0);

/** Divides colours by alpha; a colour above its alpha, which a rule may well make, is clamped. */
function straight(premultiplied: Uint8Array): Uint8ClampedArray {
  const rgba = new Uint8ClampedArray(premultiplied.length);
  for (let at = 0; at < rgba.length; at += 4) {
    const alpha = premultiplied[at + 3];
    if (alpha === 0) continue;
    for (let c = 0; c < 3; c++) rgba[at + c] = (premultiplied[at + c] * 255) / alpha;
    rgba[at + 3] = alpha;
  }
  return rgba;
}
