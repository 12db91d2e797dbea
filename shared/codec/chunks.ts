/**
 * Defines planes (colour and owner of each cell), and the chunks (squares of cells) in which planes
 * are streamed. Chunks at the right and lower edges of a grid may be smaller.
 */
import type { Rect } from '../geometry.ts';

const { ceil, floor, imul, max, min } = Math;

/** Side length of a chunk, in cells. */
const SIDE = 32;

type Size = Pick<Rect, 'width' | 'height'>;

export function chunkColumns(size: Size): number {
  return ceil(size.width / SIDE);
}

/** Returns the number of chunks of a grid. Chunks are numbered row by row. */
export function chunkCount(size: Size): number {
  return chunkColumns(size) * ceil(size.height / SIDE);
}

export function chunkRect(size: Size, index: number): Rect {
  const columns = chunkColumns(size);
  const x = (index % columns) * SIDE;
  const y = floor(index / columns) * SIDE;
  return {
    x,
    y,
    width: min(SIDE, size.width - x),
    height: min(SIDE, size.height - y),
  };
}

export function chunkAt(size: Size, x: number, y: number): number {
  return floor(y / SIDE) * chunkColumns(size) + floor(x / SIDE);
}

/**
 * Returns the indices of the chunks that a rectangle touches, in ascending order. The rectangle may
 * extend beyond the grid.
 */
export function chunksWithin(size: Size, { x, y, width, height }: Rect): number[] {
  const columns = chunkColumns(size);
  const rows = ceil(size.height / SIDE);
  const first = (at: number): number => max(0, floor(at / SIDE));
  const chunks: number[] = [];
  if (x >= size.width || y >= size.height) return chunks;
  for (let row = first(y); row < rows && row * SIDE < y + height; row++) {
    for (let column = first(x); column < columns && column * SIDE < x + width; column++) {
      chunks.push(row * columns + column);
    }
  }
  return chunks;
}

/** The colour and the owner of each cell of a grid. */
export interface Planes {
  readonly width: number;
  readonly height: number;
  /** [height, width, 4] premultiplied RGBA, 0…255; all zeros for cells without an owner. */
  readonly rgba: Uint8Array;
  /** [height, width] id of each cell's owner; 0 for cells without an owner. */
  readonly owner: Uint32Array;
}

/** Creates planes in which no cell has an owner. */
export function createPlanes(width: number, height: number): Planes {
  return {
    width,
    height,
    rgba: new Uint8Array(width * height * 4),
    owner: new Uint32Array(width * height),
  };
}

/** Planes of a single chunk. */
export type Cells = Planes;

/**
 * Returns cells with the same owners but other colours, without copying. The fields have the same
 * order as in `createPlanes`, because JavaScript engines are faster if all such objects are alike.
 */
export const recoloured = ({ width, height, owner }: Cells, rgba: Uint8Array): Cells => {
  return { width, height, rgba, owner };
};

/** Returns the colours as one 32-bit number per cell, without copying them. */
export const wordsOf = ({ rgba, owner }: Pick<Cells, 'rgba' | 'owner'>): Uint32Array =>
  new Uint32Array(rgba.buffer, rgba.byteOffset, owner.length);

/** Returns a copy of the cells in a rectangle. */
export function takeCells(planes: Planes, rect: Rect): Cells {
  const cells = createPlanes(rect.width, rect.height);
  const [from, to] = [wordsOf(planes), wordsOf(cells)];
  const { width, height, owner } = cells;
  const step = planes.width - width;
  let place = rect.y * planes.width + rect.x;
  // Copy cell by cell. Copying rows would need an array view per row, which is slower.
  for (let y = 0, cell = 0; y < height; y++, place += step) {
    for (let x = 0; x < width; x++, cell++, place++) {
      to[cell] = from[place];
      owner[cell] = planes.owner[place];
    }
  }
  return cells;
}

/**
 * Writes cells into planes. Each of these cells fills `scale`×`scale` cells of the planes.
 *
 * @param rect position and size of `cells` in the planes, divided by `scale`
 */
export function putCells(planes: Planes, rect: Rect, cells: Cells, scale = 1): void {
  if (scale > 1) {
    putScaled(planes, rect, cells, scale);
    return;
  }
  const { width, height, owner } = cells;
  const [from, to] = [wordsOf(cells), wordsOf(planes)];
  const step = planes.width - width;
  let place = rect.y * planes.width + rect.x;
  for (let y = 0, cell = 0; y < height; y++, place += step) {
    for (let x = 0; x < width; x++, cell++, place++) {
      to[place] = from[cell];
      planes.owner[place] = owner[cell];
    }
  }
}

function putScaled(planes: Planes, rect: Rect, cells: Cells, scale: number): void {
  const bottom = min(planes.height, (rect.y + rect.height) * scale);
  const right = min(planes.width, (rect.x + rect.width) * scale);
  for (let y = rect.y * scale; y < bottom; y++) {
    for (let x = rect.x * scale; x < right; x++) {
      const cell = (floor(y / scale) - rect.y) * cells.width + floor(x / scale) - rect.x;
      const place = y * planes.width + x;
      planes.owner[place] = cells.owner[cell];
      for (let c = 0; c < 4; c++) planes.rgba[place * 4 + c] = cells.rgba[cell * 4 + c];
    }
  }
}

/** Computes a 32-bit checksum of cells. For speed, colours and owners are hashed separately. */
export function sumOf(cells: Cells): number {
  const { owner } = cells;
  const words = wordsOf(cells);
  let h = 0x811c9dc5;
  let other = h;
  for (let i = 0; i < owner.length; i++) {
    h = imul(h ^ (h >>> 15) ^ words[i], 0x85ebca6b);
    other = imul(other ^ (other >>> 15) ^ owner[i], 0x85ebca6b);
  }
  h ^= imul(other, 0x01000193);
  h ^= h >>> 16;
  h = imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Computes the checksum in a block's header: the lower 16 bits of `sumOf`. */
export const checkOf = (cells: Cells): number => sumOf(cells) & 0xffff;
