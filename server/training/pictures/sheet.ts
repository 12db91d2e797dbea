/** Sheets of tiles: rows with even margins on a dark, quiet ground, with captions where wanted. */
import { Canvas, type Colour, captionHeight, captionWidth, HOUSE } from './canvas.ts';
import type { Tile } from './tile.ts';

export interface SheetOptions {
  /** Pixels a cell, 1…; cells stay sharp squares. */
  readonly scale?: number;
  /** Pixels between tiles; twice as many lie around them all. */
  readonly gap?: number;
  /** Around the tiles. */
  readonly ground?: Colour;
  /** Under the tiles. */
  readonly field?: Colour;
  /** Captions over the columns and before the rows; A-Z, digits and a few signs. */
  readonly labels?: {
    readonly columns?: readonly string[];
    readonly rows?: readonly string[];
  };
}

const LETTER_SCALE = 2;
/** A caption's distance to its tiles, in gaps. */
const CAPTION_GAPS = 1;

/**
 * Draws rows of tiles.
 *
 * @param rows tiles of one side; rows may be of different lengths
 * @returns a PNG file
 * @throws RangeError there is no tile, or tiles differ in side
 */
export function drawSheet(
  rows: readonly (readonly Tile[])[],
  {
    scale = 3,
    gap = 8,
    ground = HOUSE.ground,
    field = HOUSE.field,
    labels = {},
  }: SheetOptions = {},
): Buffer {
  const side = rows.flat()[0]?.side;
  if (side === undefined) throw new RangeError('a sheet needs a tile');
  if (rows.flat().some((tile) => tile.side !== side)) {
    throw new RangeError('tiles of a sheet must have one side');
  }
  const { rows: rowLabels = [], columns: columnLabels = [] } = labels;
  const columns = Math.max(...rows.map(({ length }) => length));
  const size = side * scale;
  const margin = 2 * gap;
  const widest = Math.max(0, ...rowLabels.map((text) => captionWidth(text, LETTER_SCALE)));
  const left = margin + (widest > 0 ? widest + CAPTION_GAPS * gap : 0);
  const header = columnLabels.some((text) => text !== '');
  const top = margin + (header ? captionHeight(LETTER_SCALE) + CAPTION_GAPS * gap : 0);
  const canvas = new Canvas(
    left + columns * (size + gap) - gap + margin,
    top + rows.length * (size + gap) - gap + margin,
    ground,
  );
  const x = (column: number): number => left + column * (size + gap);
  const y = (row: number): number => top + row * (size + gap);
  columnLabels.slice(0, columns).forEach((text, column) => {
    const centred = x(column) + Math.round((size - captionWidth(text, LETTER_SCALE)) / 2);
    canvas.write(text, centred, margin, LETTER_SCALE);
  });
  rowLabels.slice(0, rows.length).forEach((text, row) => {
    const right = left - CAPTION_GAPS * gap - captionWidth(text, LETTER_SCALE);
    const middle = y(row) + Math.round((size - captionHeight(LETTER_SCALE)) / 2);
    canvas.write(text, right, middle, LETTER_SCALE);
  });
  rows.forEach((tiles, row) => {
    tiles.forEach((tile, column) => {
      canvas.fill(x(column), y(row), size, size, field);
      canvas.draw(tile, x(column), y(row), scale);
    });
  });
  return canvas.encode();
}

/** Cuts a list into rows of so many. */
export function inRows<T>(items: readonly T[], columns: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / columns) }, (_, row) =>
    items.slice(row * columns, (row + 1) * columns),
  );
}
