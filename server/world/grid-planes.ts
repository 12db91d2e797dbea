/** The cell grid of a room: its colour and owner planes, and which chunks have changed. */
import { chunkAt, chunkCount, createPlanes, type Planes } from '../../shared/codec/chunks.ts';
import type { Rect } from '../../shared/geometry.ts';
import type { OrganismId } from '../../shared/vocabulary.ts';

/** Mutable planes that track their changes. A place is an index, y × width + x. */
export class GridPlanes {
  readonly planes: Planes;
  /** [height × width] RGBA as one number. */
  private readonly colours: Uint32Array;
  /**
   * [height × width] chunk of each place; a table, as divisions in the tick's inner loop are slow.
   */
  private readonly chunks: Uint16Array;
  /** By chunk, 1 = changed. */
  private readonly changed: Uint8Array;
  /** Places offered since `takeFreed`; some may be claimed again. */
  private freed: number[] = [];

  /** @param planes reused in place, unless its colours are not aligned to 4 bytes; default: bare */
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

  /** Copies planes of the same size into these, and marks all chunks as changed. */
  replace({ rgba, owner }: Planes): void {
    this.planes.rgba.set(rgba);
    this.planes.owner.set(owner);
    this.freed = [];
    this.changed.fill(1);
  }

  /** The index of the place at (x, y). */
  place(x: number, y: number): number {
    return y * this.width + x;
  }

  ownerAt(place: number): OrganismId {
    return this.planes.owner[place];
  }

  /** Sets the owner of a bare place. */
  claim(place: number, id: OrganismId): void {
    this.planes.owner[place] = id;
    this.touch(place);
  }

  /** Makes a place bare and offers it to those who are blocked there. */
  release(place: number): void {
    this.clear(place);
    this.offer(place);
  }

  /** Makes a place bare, without waking anybody for it. */
  clear(place: number): void {
    this.planes.owner[place] = 0;
    this.colours[place] = 0;
    this.touch(place);
  }

  /** Offers a bare place to those who are blocked there. */
  offer(place: number): void {
    this.freed.push(place);
  }

  /** Sets the colour of a place. @param colour one of `coloursOf` */
  paint(place: number, colour: number): void {
    if (this.colours[place] === colour) return;
    this.colours[place] = colour;
    this.touch(place);
  }

  /**
   * Calls `visit` for each place of a rectangle, with its index in the grid and in the rectangle.
   */
  each({ x, y, width, height }: Rect, visit: (place: number, cell: number) => void): void {
    let cell = 0;
    for (let row = y; row < y + height; row++) {
      const from = this.place(x, row);
      for (let place = from; place < from + width; place++) visit(place, cell++);
    }
  }

  /** Takes the chunks that have changed since the last call. */
  takeChanged(): number[] {
    const chunks: number[] = [];
    this.changed.forEach((changed, chunk) => {
      if (changed) chunks.push(chunk);
    });
    this.changed.fill(0);
    return chunks;
  }

  /** Takes the places offered since the last call that are still bare. */
  takeFreed(): number[] {
    return this.freed.splice(0).filter((place) => this.ownerAt(place) === 0);
  }

  private touch(place: number): void {
    this.changed[this.chunks[place]] = 1;
  }
}

/** Views RGBA bytes as one 32-bit number per colour, for fast comparison; copies if not aligned. */
export function coloursOf(rgba: Uint8Array): Uint32Array {
  const { buffer, byteOffset, length } = rgba;
  return byteOffset % 4 === 0
    ? new Uint32Array(buffer, byteOffset, length / 4)
    : new Uint32Array(rgba.slice().buffer);
}
