/** The host's hand over a live picture: moves the view, taps organisms, draws a rectangle. */
import type { Rect } from '../../shared/geometry.ts';
import type { OrganismId } from '../../shared/vocabulary.ts';
import type { CanvasHand } from '../input/canvas-input.ts';
import { organismAt } from '../input/pick.ts';
import type { RoomModel } from '../net/room-model.ts';
import type { Point } from '../render/camera.ts';
import type { Director } from '../render/director.ts';

export type HandTool = 'look' | 'area';

/** The whole cells between two places, kept on the grid; at least one cell. */
export function areaBetween(
  a: Point,
  b: Point,
  grid: { readonly width: number; readonly height: number },
): Rect {
  const span = (from: number, to: number, size: number): [number, number] => {
    const low = Math.max(0, Math.min(size - 1, Math.floor(Math.min(from, to))));
    const high = Math.max(low + 1, Math.min(size, Math.ceil(Math.max(from, to))));
    return [low, high - low];
  };
  const [x, width] = span(a.x, b.x, grid.width);
  const [y, height] = span(a.y, b.y, grid.height);
  return { x, y, width, height };
}

export interface HandTarget {
  /** An organism was tapped; 0: bare ground. */
  tapped(organism: OrganismId): void;
  /** A rectangle is being drawn, in cells. */
  area(area: Rect): void;
}

export class Hand implements CanvasHand {
  tool: HandTool = 'look';
  private from: Point = { x: 0, y: 0 };
  private last: Point = { x: 0, y: 0 };

  constructor(
    private readonly model: RoomModel,
    private readonly director: Director,
    private readonly target: HandTarget,
  ) {}

  toolStart(x: number, y: number): void {
    this.last = { x, y };
    this.from = this.director.toWorld(this.last);
  }

  toolMove(x: number, y: number, now: number): void {
    const { planes } = this.model;
    if (this.tool === 'look') this.director.rig.panBy(x - this.last.x, y - this.last.y, now);
    else if (planes)
      this.target.area(areaBetween(this.from, this.director.toWorld({ x, y }), planes));
    this.last = { x, y };
    this.director.loop.invalidate();
  }

  toolEnd(x: number, y: number, tap: boolean, now: number): void {
    if (this.tool === 'area') return;
    if (tap) this.target.tapped(organismAt(this.model, this.director.toWorld({ x, y })));
    else this.director.rig.release(now);
    this.director.loop.invalidate();
  }

  toolCancel(): void {}

  hover(x: number, y: number): void {
    const over = this.tool === 'look' ? organismAt(this.model, this.director.toWorld({ x, y })) : 0;
    if (over === this.director.hovered) return;
    this.director.hovered = over;
    this.director.loop.invalidate();
  }

  panBy(dx: number, dy: number, now: number): void {
    this.director.rig.panBy(dx, dy, now);
    this.director.loop.invalidate();
  }

  panEnd(now: number): void {
    this.director.rig.release(now);
    this.director.loop.invalidate();
  }

  zoomAbout(x: number, y: number, factor: number): void {
    this.director.rig.zoomAbout(x, y, factor);
    this.director.loop.invalidate();
  }

  doubleTap(): void {
    this.director.rig.fit();
    this.director.loop.invalidate();
  }

  leave(): void {
    this.director.hovered = 0;
    this.director.loop.invalidate();
  }
}
