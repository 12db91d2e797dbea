/** Writes animated GIFs, the film format that every phone can show, save and send. */
import { applyPalette, GIFEncoder, type Palette, quantize } from 'gifenc';
import { latin1 } from './latin1.ts';

const COLORS = 256;
/** 4×4 ordered dithering; without it, the dark background shows colour bands. */
const BAYER = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5];
/** Amplitude of the dithering, of 255. */
const DITHER = 7;

/**
 * Chooses the 256 colours that represent the pictures best.
 *
 * @param pictures RGBA, opaque
 */
export function paletteOf(pictures: readonly Uint8ClampedArray[]): Palette {
  const all = new Uint8ClampedArray(pictures.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const picture of pictures) {
    all.set(picture, offset);
    offset += picture.length;
  }
  return quantize(all, COLORS);
}

/** Encoder for an animated GIF that loops forever. */
export class GifWriter {
  private readonly encoder = GIFEncoder();
  private isFirst = true;

  /** @param palette shared by all frames */
  constructor(
    private readonly width: number,
    private readonly height: number,
    private readonly palette: Palette,
  ) {}

  /**
   * Adds a frame.
   *
   * @param picture RGBA, opaque, [height, width, 4]
   * @param delay ms; GIF rounds to steps of 10 ms
   */
  add(picture: Uint8ClampedArray, delay: number): void {
    const { encoder, width, height, palette } = this;
    const pixels = applyPalette(dithered(picture, width), palette);
    encoder.writeFrame(pixels, width, height, { delay, ...(this.isFirst && { palette }) });
    this.isFirst = false;
  }

  /**
   * Ends the GIF and returns the file; no frames can be added afterwards.
   *
   * @param comment Latin-1
   */
  finish(comment: string): Uint8Array<ArrayBuffer> {
    const { stream } = this.encoder;
    stream.writeBytes([0x21, 0xfe]);
    for (let at = 0; at < comment.length; at += 255) {
      const part = latin1(comment.slice(at, at + 255));
      stream.writeBytes([part.length, ...part]);
    }
    stream.writeByte(0);
    this.encoder.finish();
    return this.encoder.bytes();
  }
}

function dithered(picture: Uint8ClampedArray, width: number): Uint8ClampedArray {
  const result = new Uint8ClampedArray(picture.length);
  for (let i = 0; i < picture.length; i += 4) {
    const pixel = i / 4;
    const cell = ((Math.floor(pixel / width) & 3) << 2) | ((pixel % width) & 3);
    const shift = (BAYER[cell] / 15 - 0.5) * DITHER;
    for (let c = 0; c < 3; c++) result[i + c] = picture[i + c] + shift;
    result[i + 3] = 255;
  }
  return result;
}
