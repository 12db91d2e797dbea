/** An opaque picture on which tiles are drawn. */
import { PNG } from 'pngjs';
import type { Tile } from './tile.ts';

/** sRGB, 0…255. */
export type Colour = readonly [number, number, number];

/**
 * Colours of sheets, as in the dark theme of the client (client/style): ground, background of a
 * tile, text.
 */
export const SHEET_COLOURS = {
  ground: [14, 17, 20],
  field: [22, 27, 31],
  ink: [148, 160, 166],
} as const satisfies Record<string, Colour>;

/** A rectangle, pixels. */
interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Pixels to draw on; what lies outside is clipped. */
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

  /** Fills a rectangle. */
  fill(x: number, y: number, width: number, height: number, colour: Colour): void {
    this.blend({ x, y, width, height }, colour, 1);
  }

  /** Draws a tile with every cell as scale×scale pixels. */
  draw({ side, rgba }: Tile, x: number, y: number, scale: number): void {
    for (let j = 0; j < side; j++) {
      for (let i = 0; i < side; i++) {
        const from = 4 * (j * side + i);
        if (rgba[from + 3] > 0) {
          const cell = { x: x + i * scale, y: y + j * scale, width: scale, height: scale };
          this.blend(cell, rgba.subarray(from, from + 3), rgba[from + 3] / 255);
        }
      }
    }
  }

  /** Encodes the picture as a PNG file. */
  encode(): Buffer {
    // Cells are blocks of pixels, so rows repeat and the filter "up" compresses well. Trying all
    // filters is slow.
    return PNG.sync.write(this.png, { filterType: 2, deflateStrategy: 0, deflateLevel: 9 });
  }

  private blend(area: Area, colour: ArrayLike<number>, alpha: number): void {
    const { data } = this.png;
    for (let j = Math.max(0, area.y); j < Math.min(this.height, area.y + area.height); j++) {
      for (let i = Math.max(0, area.x); i < Math.min(this.width, area.x + area.width); i++) {
        const pixel = 4 * (j * this.width + i);
        for (let c = 0; c < 3; c++) {
          data[pixel + c] = Math.round(data[pixel + c] + alpha * (colour[c] - data[pixel + c]));
        }
        data[pixel + 3] = 255;
      }
    }
  }
}
