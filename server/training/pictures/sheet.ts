/** Draws sheets of pictures: rows of tiles on a dark background, with optional captions. */

import { PNG } from 'pngjs';
import { createReadout, type Visible } from '../../vnca/readout.ts';

/** A square picture to draw on a sheet. */
export interface Tile {
  readonly side: number;
  /** [side, side, 4] RGBA with straight alpha. */
  readonly rgba: Uint8ClampedArray;
}

/**
 * Draws organisms as tiles.
 *
 * @param states [N, side, side, C]
 * @returns N tiles
 */
export function tilesOfStates(card: Visible, states: Float32Array, side: number): Tile[] {
  const cells = side * side;
  const size = cells * card.channels;
  const read = createReadout(card);
  const premultiplied = new Uint8Array(4 * cells);
  const presence = new Uint8Array(cells);
  return Array.from({ length: states.length / size }, (_, n) => {
    read(states, n * size, premultiplied, presence);
    return { side, rgba: straight(premultiplied) };
  });
}

/**
 * Draws a training image as a tile.
 *
 * @param pixels [N, side, side, channels], 0…255
 * @param channels 1: opacity, drawn in white; 3: RGB; 4: premultiplied RGBA
 * @param index index of the image in `pixels`
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

/** Enlarges a tile by repeating pixels. @param side new side, a multiple of the old side */
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

/** Converts premultiplied RGBA to straight alpha. Colour values above alpha become 255. */
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

/**
 * sRGB colours from the client's dark theme: background of the sheet (`ground`), background of
 * tiles (`field`), and text (`ink`).
 */
export const SHEET_COLOURS = { ground: [14, 17, 20], field: [22, 27, 31], ink: [148, 160, 166] };

export class Canvas {
  private readonly png: PNG;

  constructor(width: number, height: number) {
    this.png = new PNG({ width, height });
    const { data } = this.png;
    for (let at = 0; at < data.length; at += 4) data.set([...SHEET_COLOURS.ground, 255], at);
  }

  /** Draws a tile with its upper left corner at (x, y), in pixels. */
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

  encode(): Buffer {
    // The PNG filter "up" (2) stores differences from the row above. Most differences are 0,
    // because cells are blocks of equal pixels.
    return PNG.sync.write(this.png, { filterType: 2, deflateStrategy: 0, deflateLevel: 9 });
  }
}

/** Height of a caption, in pixels. */
const CAPTION = 12;
/** Distance between tiles, in pixels. */
const GAP = 8;
const MARGIN = 2 * GAP;

/**
 * Draws a sheet with rows of tiles.
 *
 * @param rows at least one tile in total; all tiles must have the same size
 * @param options.scale side of a cell, in pixels
 * @param options.columns captions of the columns, as XML text; visible only if a font is installed
 * @returns a PNG file
 */
export async function drawSheet(
  rows: readonly (readonly Tile[])[],
  options: { readonly scale?: number; readonly columns?: readonly string[] } = {},
): Promise<Buffer> {
  const { scale = 3, columns: captions = [] } = options;
  const [{ side }] = rows.flat();
  const columns = Math.max(...rows.map(({ length }) => length));
  const size = side * scale;
  const header = captions.some((text) => text !== '');
  const top = MARGIN + (header ? CAPTION + GAP : 0);
  const x = (column: number): number => MARGIN + column * (size + GAP);
  const y = (row: number): number => top + row * (size + GAP);
  const [width, height] = [x(columns) + GAP, y(rows.length) + GAP];
  const canvas = new Canvas(width, height);
  const opaque = [...SHEET_COLOURS.field, 255];
  const field = Uint8ClampedArray.from({ length: 4 * size * size }, (_, i) => opaque[i % 4]);
  rows.forEach((tiles, row) => {
    tiles.forEach((tile, column) => {
      canvas.draw({ side: size, rgba: field }, x(column), y(row));
      canvas.draw(enlarged(tile, size), x(column), y(row));
    });
  });
  const picture = canvas.encode();
  if (!header) return picture;
  const texts = captions
    .slice(0, columns)
    .map(
      (text, column) => `<text x="${x(column) + size / 2}" y="${MARGIN + CAPTION}">${text}</text>`,
    );
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `font-family="sans-serif" font-size="${CAPTION}" text-anchor="middle" fill="rgb(${SHEET_COLOURS.ink})">${texts.join('')}</svg>`;
  // Load sharp only if needed, because it is a large native library.
  const { default: sharp } = await import('sharp');
  return sharp(picture)
    .composite([{ input: Buffer.from(svg) }])
    .png({ compressionLevel: 9 })
    .toBuffer();
}

export function inRows<T>(items: readonly T[], columns: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / columns) }, (_, row) =>
    items.slice(row * columns, (row + 1) * columns),
  );
}

/** Returns the mean squared difference, 0…1, between two pictures with values 0…255. */
export function meanSquare(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum / (255 * 255 * a.length);
}
