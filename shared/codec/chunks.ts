/** Planes are streamed in square chunks; chunks at the right and lower edges may be smaller. */
import type { Rect } from '../geometry.ts';

/** Side of a chunk, in cells. */
const SIDE = 32;

type Size = Pick<Rect, 'width' | 'height'>;

/** Returns the number of chunks per row. */
export function chunkColumns(size: Size): number {
  return Math.ceil(size.width / SIDE);
}

/** Returns the total number of chunks. Chunks are numbered row by row. */
export function chunkCount(size: Size): number {
  return chunkColumns(size) * Math.ceil(size.height / SIDE);
}

/** Returns the rectangle of cells that a chunk covers. */
export function chunkRect(size: Size, index: number): Rect {
  const columns = chunkColumns(size);
  const x = (index % columns) * SIDE;
  const y = Math.floor(index / columns) * SIDE;
  return {
    x,
    y,
    width: Math.min(SIDE, size.width - x),
    height: Math.min(SIDE, size.height - y),
  };
}

/** Returns the index of the chunk that contains a cell. */
export function chunkAt(size: Size, x: number, y: number): number {
  return Math.floor(y / SIDE) * chunkColumns(size) + Math.floor(x / SIDE);
}

/**
 * Returns the ascending indices of the chunks that a rectangle touches. The rectangle may extend
 * beyond the grid.
 */
export function chunksWithin(size: Size, { x, y, width, height }: Rect): number[] {
  const columns = chunkColumns(size);
  const rows = Math.ceil(size.height / SIDE);
  const first = (at: number): number => Math.max(0, Math.floor(at / SIDE));
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
