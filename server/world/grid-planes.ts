/** The ground of a room: the planes that everybody sees, and which chunks of them have changed. */
import { chunkAt, chunkCount } from '../../shared/codec/chunks.ts';
import { createPlanes, type Planes } from '../../shared/codec/planes.ts';
import type { Rect } from '../../shared/geometry.ts';
import type { OrganismId } from '../../shared/vocabulary.ts';

export class GridPlanes {
  readonly planes: Planes;
  /** The colours of the planes, a number for each place. */
  private readonly colours: Uint32Array;
  /** By place: asked for each cell of each tick, which no division would be fast enough for. */
  private readonly chunks: Uint16Array;
  /** By chunk, 1 = has changed. */
  private readonly changed: Uint8Array;
  /** Places that were released since `takeFreed`; some may be taken again. */
  private freed: number[] = [];

  /** @param planes is taken over, unless its colours lie askew in memory; bare ones by default */
  constructor(width: number, height: number, planes: Planes = createPlanes(width, height)) {
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

  /** Shows other planes of the same size: all of it has changed. */
  replace({ rgba, owner }: Planes): void {
    this.planes.rgba.set(rgba);
    this.planes.owner.set(owner);
    this.freed = [];
    this.changed.fill(1);
  }

  get width(): number {
    return this.planes.width;
  }

  get height(): number {
    return this.planes.height;
  }

  /** Index of a place in the planes. */
  place(x: number, y: number): number {
    return y * this.width + x;
  }

  ownerAt(place: number): OrganismId {
    return this.planes.owner[place];
  }

  /** Gives a bare place to an organism. */
  claim(place: number, id: OrganismId): void {
    this.planes.owner[place] = id;
    this.touch(place);
  }

  /** Makes a place bare. */
  release(place: number): void {
    this.planes.owner[place] = 0;
    this.colours[place] = 0;
    this.freed.push(place);
    this.touch(place);
  }

  /** Shows a cell's colour at its place. @param colour one of `coloursOf` */
  paint(place: number, colour: number): void {
    if (this.colours[place] === colour) return;
    this.colours[place] = colour;
    this.touch(place);
  }

  /** Calls back for each place of a rectangle: its index in the planes and the cell's in the rectangle. */
  each({ x, y, width, height }: Rect, visit: (place: number, cell: number) => void): void {
    let cell = 0;
    for (let row = y; row < y + height; row++) {
      const from = this.place(x, row);
      for (let place = from; place < from + width; place++) visit(place, cell++);
    }
  }

  /** The chunks that have changed since the last call. */
  takeChanged(): number[] {
    const chunks: number[] = [];
    this.changed.forEach((changed, chunk) => {
      if (changed) chunks.push(chunk);
    });
    this.changed.fill(0);
    return chunks;
  }

  /** The places that fell free since the last call and are still bare. */
  takeFreed(): number[] {
    const bare = this.freed.filter((place) => this.ownerAt(place) === 0);
    this.freed = [];
    return bare;
  }

  private touch(place: number): void {
    this.changed[this.chunks[place]] = 1;
  }
}

/** RGBA, four bytes each, as a number each: to be compared and copied at once. */
export function coloursOf(rgba: Uint8Array): Uint32Array {
  const { buffer, byteOffset, length } = rgba;
  return byteOffset % 4 === 0
    ? new Uint32Array(buffer, byteOffset, length / 4)
    : new Uint32Array(rgba.slice().buffer);
}
