/** Paints the pictures of a film, where its checkpoint has a painter. */
import type { Planes } from '../../shared/codec/planes.ts';
import type { Rect } from '../../shared/geometry.ts';
import { type PainterNet, REACH } from '../../shared/painter/net.ts';
import { paint } from '../../shared/painter/paint.ts';

/** Side of what is painted at once, cells. */
const TILE = 16;
/** How far a cell's paint depends on others, cells. */
const AROUND = (REACH - 1) / 2;

export interface FilmPainterOptions {
  readonly net: PainterNet;
  /** Pixels a cell, along a side. */
  readonly scale: number;
  /** Longest time that painting may take in all, ms. */
  readonly limit: number;
  /** ms */
  readonly now: () => number;
}

/** Paints pictures of one room, each after another: what has not changed is painted once. */
export class FilmPainter {
  /** The picture before, and its cells. */
  private before: { readonly planes: Planes; readonly pixels: Uint8Array } | undefined;
  private spent = 0;

  constructor(private readonly options: FilmPainterOptions) {}

  /**
   * Paints a picture on black.
   *
   * @param planes of the same size each time
   * @returns [scale·height, scale·width, 3] RGB, valid until the next call; undefined: the time for
   *   painting is over, for good
   */
  draw(planes: Planes): Uint8Array | undefined {
    const { limit, now, scale } = this.options;
    if (this.spent >= limit) return undefined;
    const { width, height, rgba, owner } = planes;
    const { before } = this;
    const pixels = before?.pixels ?? new Uint8Array(3 * width * height * scale ** 2);
    const begun = now();
    for (let y = 0; y < height; y += TILE) {
      for (let x = 0; x < width; x += TILE) {
        const size = { width: Math.min(TILE, width - x), height: Math.min(TILE, height - y) };
        const tile = { x, y, ...size };
        if (before && isSame(before.planes, planes, around(tile, planes))) continue;
        if (this.spent + now() - begun >= limit) {
          this.spent = limit;
          return undefined;
        }
        this.paint(planes, tile, pixels);
      }
    }
    this.spent += now() - begun;
    this.before = { planes: { width, height, rgba: rgba.slice(), owner: owner.slice() }, pixels };
    return pixels;
  }

  private paint({ width, height, rgba, owner }: Planes, area: Rect, pixels: Uint8Array): void {
    const { net, scale } = this.options;
    const painted = paint({ cells: rgba, owners: owner, width, height, net, scale, area });
    const row = area.width * scale;
    for (let v = 0; v < area.height * scale; v++) {
      let to = 3 * ((area.y * scale + v) * width * scale + area.x * scale);
      // Premultiplied colours on black are the colours themselves.
      for (let from = 4 * v * row; from < 4 * (v + 1) * row; from += 4, to += 3) {
        pixels[to] = painted[from];
        pixels[to + 1] = painted[from + 1];
        pixels[to + 2] = painted[from + 2];
      }
    }
  }
}

/** A tile and the cells around it that its paint depends on. */
function around({ x, y, width, height }: Rect, grid: Pick<Planes, 'width' | 'height'>): Rect {
  const [left, top] = [Math.max(0, x - AROUND), Math.max(0, y - AROUND)];
  return {
    ...{ x: left, y: top },
    width: Math.min(grid.width, x + width + AROUND) - left,
    height: Math.min(grid.height, y + height + AROUND) - top,
  };
}

function isSame(a: Planes, b: Planes, { x, y, width, height }: Rect): boolean {
  for (let row = y; row < y + height; row++) {
    const [from, to] = [row * a.width + x, row * a.width + x + width];
    for (let i = from; i < to; i++) if (a.owner[i] !== b.owner[i]) return false;
    for (let i = 4 * from; i < 4 * to; i++) if (a.rgba[i] !== b.rgba[i]) return false;
  }
  return true;
}
