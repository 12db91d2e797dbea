/**
 * The cell grid of a room: the colour and owner of each cell, and which chunks have changed.
 */
import { chunkAt, chunkCount, createPlanes, type Planes } from '../../shared/codec/chunks.ts';
import type { Rect } from '../../shared/geometry.ts';
import type { OrganismId } from '../../shared/vocabulary.ts';

/**
 * Planes that can be modified and that track changed chunks. In all methods, `place` is the index
 * of a grid cell, y × width + x.
 */
export class GridPlanes {
  readonly planes: Planes;
  /** [height × width] RGBA colour of each cell, as one 32-bit number. */
  private readonly colours: Uint32Array;
  /**
   * [height × width] chunk of each cell. Computed in advance, because divisions are too slow for
   * the inner loop of a tick.
   */
  private readonly chunks: Uint16Array;
  /** [chunks] 1 for each chunk that has changed since the last `takeChanged`, otherwise 0. */
  private readonly changed: Uint8Array;
  /** Cells that were passed to `offer` since the last `takeFreed`. Some may have a new owner. */
  private freed: number[] = [];

  /**
   * @param planes planes to modify in place; the colours are copied if their bytes are not aligned
   *   to four. If `planes` is absent, all cells are bare
   */
  constructor(
    readonly width: number,
    readonly height: number,
    planes: Planes = createPlanes(width, height),
  ) {
    this.colours = coloursOf(planes.rgba);
    this.planes = {
      ...planes,
      rgba: new Uint8Array(this.colours.buffer, this.colours.byteOffset, 4 * width * height),
    };
    this.chunks = Uint16Array.from({ length: width * height }, (_, place) =>
      chunkAt(this.planes, place % width, Math.floor(place / width)),
    );
    this.changed = new Uint8Array(chunkCount(this.planes));
  }

  /** Overwrites all cells with planes of the same size and marks all chunks as changed. */
  replace({ rgba, owner }: Planes): void {
    this.planes.rgba.set(rgba);
    this.planes.owner.set(owner);
    this.freed = [];
    this.changed.fill(1);
  }

  place(x: number, y: number): number {
    return y * this.width + x;
  }

  ownerAt(place: number): OrganismId {
    return this.planes.owner[place];
  }

  claim(place: number, id: OrganismId): void {
    this.planes.owner[place] = id;
    this.touch(place);
  }

  /** Makes a cell bare. Organisms that were blocked on this cell wake at the end of the tick. */
  release(place: number): void {
    this.clear(place);
    this.offer(place);
  }

  /** Makes a cell bare without waking the organisms that were blocked on it. */
  clear(place: number): void {
    this.planes.owner[place] = 0;
    this.colours[place] = 0;
    this.touch(place);
  }

  /**
   * Records that a cell has become bare. Sleeping organisms that were blocked on this cell wake at
   * the end of the tick. An organism is blocked on a cell if it would have a live cell there, but
   * another organism owns the cell.
   */
  offer(place: number): void {
    this.freed.push(place);
  }

  /** Sets the colour of a cell. @param colour in the format of `coloursOf` */
  paint(place: number, colour: number): void {
    if (this.colours[place] === colour) return;
    this.colours[place] = colour;
    this.touch(place);
  }

  /**
   * Calls `visit` for each cell of a rectangle, with the cell's index in the grid and in the
   * rectangle.
   */
  each({ x, y, width, height }: Rect, visit: (place: number, cell: number) => void): void {
    let cell = 0;
    for (let row = y; row < y + height; row++) {
      const from = this.place(x, row);
      for (let place = from; place < from + width; place++) visit(place, cell++);
    }
  }

  /** Returns the chunks that have changed since the last call. */
  takeChanged(): number[] {
    const chunks: number[] = [];
    this.changed.forEach((changed, chunk) => {
      if (changed) chunks.push(chunk);
    });
    this.changed.fill(0);
    return chunks;
  }

  /** Returns the cells that have been passed to `offer` since the last call and are still bare. */
  takeFreed(): number[] {
    return this.freed.splice(0).filter((place) => this.ownerAt(place) === 0);
  }

  private touch(place: number): void {
    this.changed[this.chunks[place]] = 1;
  }
}

/**
 * Converts RGBA bytes to one 32-bit number per colour, which can be compared fast. The result
 * shares the memory of `rgba`, or is a copy if the bytes are not aligned to four.
 */
export function coloursOf(rgba: Uint8Array): Uint32Array {
  const { buffer, byteOffset, length } = rgba;
  return byteOffset % 4 === 0
    ? new Uint32Array(buffer, byteOffset, length / 4)
    : new Uint32Array(rgba.slice().buffer);
}
