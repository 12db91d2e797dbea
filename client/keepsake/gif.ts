/** Animated GIFs, which every phone shows, saves and sends. */
import { applyPalette, GIFEncoder, type Palette, quantize } from 'gifenc';

const COLORS = 256;
/** Ordered dithering, 4×4: without it, the dark ground shows bands of colour. */
const BAYER = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5];
const DITHER = 7;

/**
 * Chooses the 256 colours that come nearest to those of some pictures.
 *
 * @param pictures RGBA, opaque, all of one size
 */
export function paletteOf(pictures: readonly Uint8ClampedArray[]): Palette {
  const all = new Uint8ClampedArray(pictures.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const picture of pictures) {
    all.set(picture, at);
    at += picture.length;
  }
  return quantize(all, COLORS);
}

/** Writes an animated GIF that repeats forever. */
export class GifWriter {
  private readonly encoder = GIFEncoder();
  private isFirst = true;

  /** @param palette of all frames */
  constructor(
    private readonly width: number,
    private readonly height: number,
    private readonly palette: Palette,
  ) {}

  /**
   * @param picture RGBA, opaque, width × height
   * @param delay how long it is shown, ms; GIF counts in steps of 10 ms
   */
  add(picture: Uint8ClampedArray, delay: number): void {
    const { encoder, width, height, palette } = this;
    const pixels = applyPalette(dithered(picture, width), palette);
    encoder.writeFrame(pixels, width, height, { delay, ...(this.isFirst && { palette }) });
    this.isFirst = false;
  }

  /** @returns the file; nothing can be added afterwards */
  finish(): Uint8Array<ArrayBuffer> {
    this.encoder.finish();
    return this.encoder.bytes();
  }
}

function dithered(picture: Uint8ClampedArray, width: number): Uint8ClampedArray {
  const result = new Uint8ClampedArray(picture.length);
  for (let i = 0; i < picture.length; i += 4) {
    const pixel = i / 4;
    const place = ((Math.floor(pixel / width) & 3) << 2) | ((pixel % width) & 3);
    const shift = (BAYER[place] / 15 - 0.5) * DITHER;
    for (let c = 0; c < 3; c++) result[i + c] = picture[i + c] + shift;
    result[i + 3] = 255;
  }
  return result;
}
