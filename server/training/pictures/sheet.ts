/**
 * Draws sheets: rows of tiles with even margins on a dark ground, with optional captions over the
 * columns.
 */
import { Canvas, SHEET_COLOURS } from './canvas.ts';
import { enlarged, type Tile } from './tile.ts';

/** Options of `drawSheet`. */
export interface SheetOptions {
  /** Pixels per cell, 1…; cells stay sharp squares. */
  readonly scale?: number;
  /** Captions over the columns, without markup. They need a font on this machine. */
  readonly columns?: readonly string[];
}

/** Height of a caption, pixels. */
const CAPTION = 12;
/** Pixels between tiles; the outer margin is twice as wide. */
const GAP = 8;
const MARGIN = 2 * GAP;

/**
 * Draws rows of tiles.
 *
 * @param rows tiles of one side; rows may be of different lengths
 * @returns a PNG file
 * @throws RangeError there is no tile, or tiles differ in side
 */
export async function drawSheet(
  rows: readonly (readonly Tile[])[],
  { scale = 3, columns: captions = [] }: SheetOptions = {},
): Promise<Buffer> {
  const side = rows.flat()[0]?.side;
  if (side === undefined) throw new RangeError('a sheet needs a tile');
  if (rows.flat().some((tile) => tile.side !== side)) {
    throw new RangeError('tiles of a sheet must have one side');
  }
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
