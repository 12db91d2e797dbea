/**
 * Draws sheets: rows of tiles with even margins on a dark ground, with optional captions over the
 * columns.
 */
import { Canvas, type Colour, SHEET_COLOURS } from './canvas.ts';
import type { Tile } from './tile.ts';

/** Options of `drawSheet`. */
export interface SheetOptions {
  /** Pixels per cell, 1…; cells stay sharp squares. */
  readonly scale?: number;
  /** Pixels between tiles; the outer margin is twice as wide. */
  readonly gap?: number;
  /** Colour around the tiles. */
  readonly ground?: Colour;
  /** Colour behind the tiles. */
  readonly field?: Colour;
  /** Captions over the columns, without markup. They need a font on this machine. */
  readonly columns?: readonly string[];
}

/** Height of a caption, pixels. */
const CAPTION = 12;

/**
 * Draws rows of tiles.
 *
 * @param rows tiles of one side; rows may be of different lengths
 * @returns a PNG file
 * @throws RangeError there is no tile, or tiles differ in side
 */
export async function drawSheet(
  rows: readonly (readonly Tile[])[],
  {
    scale = 3,
    gap = 8,
    ground = SHEET_COLOURS.ground,
    field = SHEET_COLOURS.field,
    columns: captions = [],
  }: SheetOptions = {},
): Promise<Buffer> {
  const side = rows.flat()[0]?.side;
  if (side === undefined) throw new RangeError('a sheet needs a tile');
  if (rows.flat().some((tile) => tile.side !== side)) {
    throw new RangeError('tiles of a sheet must have one side');
  }
  const columns = Math.max(...rows.map(({ length }) => length));
  const size = side * scale;
  const margin = 2 * gap;
  const header = captions.some((text) => text !== '');
  const top = margin + (header ? CAPTION + gap : 0);
  const canvas = new Canvas(
    margin + columns * (size + gap) - gap + margin,
    top + rows.length * (size + gap) - gap + margin,
    ground,
  );
  const x = (column: number): number => margin + column * (size + gap);
  const y = (row: number): number => top + row * (size + gap);
  rows.forEach((tiles, row) => {
    tiles.forEach((tile, column) => {
      canvas.fill(x(column), y(row), size, size, field);
      canvas.draw(tile, x(column), y(row), scale);
    });
  });
  const picture = canvas.encode();
  if (!header) return picture;
  const texts = captions
    .slice(0, columns)
    .map(
      (text, column) => `<text x="${x(column) + size / 2}" y="${margin + CAPTION}">${text}</text>`,
    );
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${canvas.width}" height="${canvas.height}" ` +
    `font-family="sans-serif" font-size="${CAPTION}" text-anchor="middle" fill="rgb(${SHEET_COLOURS.ink})">${texts.join('')}</svg>`;
  // A large native library, loaded only when there are captions.
  const { default: sharp } = await import('sharp');
  return sharp(picture)
    .composite([{ input: Buffer.from(svg) }])
    .png({ compressionLevel: 9 })
    .toBuffer();
}

/** Splits a list into rows of `columns` items. */
export function inRows<T>(items: readonly T[], columns: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / columns) }, (_, row) =>
    items.slice(row * columns, (row + 1) * columns),
  );
}
