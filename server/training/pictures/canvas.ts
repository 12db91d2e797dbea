/** A picture in the making: opaque pixels that tiles are laid on. */
import { PNG } from 'pngjs';
import type { Tile } from './tile.ts';

/** sRGB, 0…255. */
export type Colour = readonly [number, number, number];

/** The client's dark bench, the medium organisms lie in, and its ink (client/style). */
export const SHEET_COLOURS = {
  ground: [14, 17, 20],
  field: [22, 27, 31],
  ink: [148, 160, 166],
} as const satisfies Record<string, Colour>;

export class Canvas {
  private readonly png: PNG;

  constructor(
    readonly width: number,
    readonly height: number,
    ground: Colour = SHEET_COLOURS.ground,
  ) {
    this.png = new PNG({ width, height });
    this.fill(0, 0, width, height, ground);
  }

  /** Fills a rectangle; what lies outside of the canvas is left out. */
  fill(x: number, y: number, width: number, height: number, [r, g, b]: Colour): void {
    const { data } = this.png;
    for (let j = Math.max(0, y); j < Math.min(this.height, y + height); j++) {
      for (let i = Math.max(0, x); i < Math.min(this.width, x + width); i++) {
        const at = 4 * (j * this.width + i);
        data[at] = r;
        data[at + 1] = g;
        data[at + 2] = b;
        data[at + 3] = 255;
      }
    }
  }

  /** Lays a tile over what is there, every cell scale×scale pixels. */
  draw({ side, rgba }: Tile, x: number, y: number, scale: number): void {
    for (let j = 0; j < side; j++) {
      for (let i = 0; i < side; i++) {
        const from = 4 * (j * side + i);
        if (rgba[from + 3] > 0) {
          const colour = rgba.subarray(from, from + 3);
          this.blend(x + i * scale, y + j * scale, scale, colour, rgba[from + 3] / 255);
        }
      }
    }
  }

  /** @returns the PNG file */
  encode(): Buffer {
    // Cells are blocks of pixels, so rows repeat: the filter "up" leaves zeros, and trying all filters is slow.
    return PNG.sync.write(this.png, { filterType: 2, deflateStrategy: 0, deflateLevel: 9 });
  }

  private blend(
    x: number,
    y: number,
    size: number,
    colour: ArrayLike<number>,
    alpha: number,
  ): void {
    const { data } = this.png;
    for (let j = Math.max(0, y); j < Math.min(this.height, y + size); j++) {
      for (let i = Math.max(0, x); i < Math.min(this.width, x + size); i++) {
        const at = 4 * (j * this.width + i);
        for (let c = 0; c < 3; c++) {
          data[at + c] = Math.round(data[at + c] + alpha * (colour[c] - data[at + c]));
        }
      }
    }
  }
}
