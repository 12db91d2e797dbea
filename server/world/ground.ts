/** The ground of a room: the planes that everybody sees, and which chunks of them have changed. */
import { chunkAt } from '../../shared/codec/chunks.ts';
import { createPlanes, type Planes } from '../../shared/codec/planes.ts';
import type { Rect } from '../../shared/geometry.ts';
import type { OrganismId } from '../../shared/vocabulary.ts';

export class Ground {
  readonly planes: Planes;
  private changed = new Set<number>();

  constructor(width: number, height: number) {
    this.planes = createPlanes(width, height);
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
    this.planes.rgba.fill(0, place * 4, place * 4 + 4);
    this.touch(place);
  }

  /** Shows a cell's colour at its place. */
  paint(place: number, rgba: Uint8Array, cell: number): void {
    const seen = this.planes.rgba;
    const to = place * 4;
    const from = cell * 4;
    if (
      seen[to] === rgba[from] &&
      seen[to + 1] === rgba[from + 1] &&
      seen[to + 2] === rgba[from + 2] &&
      seen[to + 3] === rgba[from + 3]
    ) {
      return;
    }
    for (let c = 0; c < 4; c++) seen[to + c] = rgba[from + c];
    this.touch(place);
  }

  /** Calls back for each place of a rectangle: its index in the planes and the cell's in the rectangle. */
  each(rect: Rect, visit: (place: number, cell: number) => void): void {
    let cell = 0;
    for (let y = rect.y; y < rect.y + rect.height; y++) {
      for (let x = rect.x; x < rect.x + rect.width; x++) visit(this.place(x, y), cell++);
    }
  }

  /** The chunks that have changed since the last call. */
  takeChanged(): number[] {
    const chunks = [...this.changed];
    this.changed = new Set();
    return chunks;
  }

  private touch(place: number): void {
    this.changed.add(chunkAt(this.planes, place % this.width, Math.floor(place / this.width)));
  }
}
