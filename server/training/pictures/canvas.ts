/** An opaque picture on which tiles are drawn. */
import { PNG } from 'pngjs';
import type { Tile } from './tile.ts';

/**
 * Colours of sheets, as in the dark theme of the client (client/style), sRGB: ground, background of
 * a tile, text.
 */
export const SHEET_COLOURS = { ground: [14, 17, 20], field: [22, 27, 31], ink: [148, 160, 166] };

/** Pixels to draw on. */
export class Canvas {
  private readonly png: PNG;

  constructor(width: number, height: number) {
    this.png = new PNG({ width, height });
    const { data } = this.png;
    for (let at = 0; at < data.length; at += 4) data.set([...SHEET_COLOURS.ground, 255], at);
  }

  /** Draws a tile with every cell as a pixel. */
  draw({ side, rgba }: Tile, x: number, y: number): void {
    const { data, width } = this.png;
    for (let cell = 0; cell < side * side; cell++) {
      const from = 4 * cell;
      const to = 4 * ((y + Math.floor(cell / side)) * width + x + (cell % side));
      const alpha = rgba[from + 3] / 255;
      for (let c = 0; c < 3; c++) {
        data[to + c] = Math.round(data[to + c] + alpha * (rgba[from + c] - data[to + c]));
      }
    }
  }

  /** Encodes the picture as a PNG file. */
  encode(): Buffer {
    // Cells are blocks of pixels, so rows repeat and the filter "up" compresses well. Trying all
    // filters is slow.
    return PNG.sync.write(this.png, { filterType: 2, deflateStrategy: 0, deflateLevel: 9 });
  }
}
