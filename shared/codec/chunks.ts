/**
 * Planes, the square chunks in which they are streamed, and copies of a chunk's cells. Chunks at the
 * right and lower edges of a grid may be smaller.
 */
import type { Rect } from '../geometry.ts';

/** Looked up only once, because access to a global in a sandbox costs more than the arithmetic. */
const { ceil, floor, imul, max, min } = Math;

/** Side of a chunk, in cells. */
const SIDE = 32;

type Size = Pick<Rect, 'width' | 'height'>;

/** Returns the number of chunks per row. */
export function chunkColumns(size: Size): number {
  return ceil(size.width / SIDE);
}

/** Returns the total number of chunks. Chunks are numbered row by row. */
export function chunkCount(size: Size): number {
  return chunkColumns(size) * ceil(size.height / SIDE);
}

/** Returns the rectangle of cells that a chunk covers. */
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

/** Returns the index of the chunk that contains a cell. */
export function chunkAt(size: Size, x: number, y: number): number {
  return floor(y / SIDE) * chunkColumns(size) + floor(x / SIDE);
}

/**
 * Returns the ascending indices of the chunks that a rectangle touches. The rectangle may extend
 * beyond the grid.
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

/** The visible state of a room: a colour and an owner for each cell of the grid. */
export interface Planes {
  /** Number of cells per row. */
  readonly width: number;
  /** Number of rows. */
  readonly height: number;
  /** [height, width, 4] premultiplied RGBA, 0…255; bare cells are 0. */
  readonly rgba: Uint8Array;
  /** [height, width] Organism ids; 0: bare. */
  readonly owner: Uint32Array;
}

/** Creates the planes of a bare room. */
export function createPlanes(width: number, height: number): Planes {
  return {
    width,
    height,
    rgba: new Uint8Array(width * height * 4),
    owner: new Uint32Array(width * height),
  };
}

/** Colours and owners of a chunk's cells, copied from planes. */
export type Cells = Planes;

/**
 * Returns cells with the owners of these cells and the colours of `rgba`. Neither array is copied.
 * The fields have the same order as in all other planes, because JavaScript engines are fastest if
 * all these objects share one hidden class.
 */
export const recoloured = ({ width, height, owner }: Cells, rgba: Uint8Array): Cells => {
  return { width, height, rgba, owner };
};

/** Returns a view of the colours, with one 32-bit number per cell. */
export const wordsOf = ({ rgba, owner }: Pick<Cells, 'rgba' | 'owner'>): Uint32Array =>
  new Uint32Array(rgba.buffer, rgba.byteOffset, owner.length);

/** Copies a rectangle out of planes. */
export function takeCells(planes: Planes, rect: Rect): Cells {
  const cells = createPlanes(rect.width, rect.height);
  const [from, to] = [wordsOf(planes), wordsOf(cells)];
  const { width, height, owner } = cells;
  const step = planes.width - width;
  let place = rect.y * planes.width + rect.x;
  // Copy cell by cell, because creating a view of each short row would cost more.
  for (let y = 0, cell = 0; y < height; y++, place += step) {
    for (let x = 0; x < width; x++, cell++, place++) {
      to[cell] = from[place];
      owner[cell] = planes.owner[place];
    }
  }
  return cells;
}

/**
 * Writes cells to a rectangle of planes.
 *
 * @param scale side of the square that each cell fills in the planes
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

/**
 * Computes a 32-bit checksum of cells. Cells with equal checksums are assumed to be equal. Colours
 * and owners are hashed separately, so that neither multiplication has to wait for the other. The
 * two hashes are combined at the end.
 */
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

/** Computes the checksum that each block contains: the lower 16 bits of `sumOf`. */
export const checkOf = (cells: Cells): number => sumOf(cells) & 0xffff;
