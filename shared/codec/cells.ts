/** The cells of one chunk, copied from planes, for the codec's models to read and write. */
import type { Rect } from '../geometry.ts';
import { createPlanes, type Planes } from './chunks.ts';

/** Looked up only once, because access to a global in a sandbox costs more than the arithmetic. */
const { floor, imul, min } = Math;

/** Colours and owners of a chunk's cells. */
export type Cells = Planes;

/** Creates bare cells. */
export const createCells = ({ width, height }: Pick<Rect, 'width' | 'height'>): Cells =>
  createPlanes(width, height);

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
  const cells = createCells(rect);
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
