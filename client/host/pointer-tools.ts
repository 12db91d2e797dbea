/** The host's tools on the live picture: move the view, select an organism, draw a rectangle. */
import type { Rect } from '../../shared/geometry.ts';
import type { OrganismId } from '../../shared/vocabulary.ts';
import { type CanvasHand, ViewTools } from '../input/canvas-input.ts';
import type { Point, Size } from '../render/camera.ts';
import type { RoomView } from '../render/room-view.ts';
import type { RoomModel } from '../room/room-model.ts';

/** A drag moves the view or draws a rectangle; a tap selects an organism or points at a place. */
export type PointerTool = 'look' | 'area' | 'point';

/** The rectangle of whole cells between two points, clipped to the grid; at least one cell. */
export function areaBetween(a: Point, b: Point, grid: Size): Rect {
  const span = (from: number, to: number, size: number): [number, number] => {
    const low = Math.max(0, Math.min(size - 1, Math.floor(Math.min(from, to))));
    const high = Math.max(low + 1, Math.min(size, Math.ceil(Math.max(from, to))));
    return [low, high - low];
  };
  const [x, width] = span(a.x, b.x, grid.width);
  const [y, height] = span(a.y, b.y, grid.height);
  return { x, y, width, height };
}

/** What the tools call. */
export interface PointerTarget {
  /** Called with the organism that was tapped; 0 if there is none. */
  tapped(organism: OrganismId): void;
  /** Called with the place that the host points at, in cells. */
  pointed(place: Point): void;
  /** Called while a rectangle is drawn, in cells. */
  area(area: Rect): void;
}

/** Maps pointer gestures on the canvas, in CSS pixels, to the view and the target. */
export class PointerTools extends ViewTools implements CanvasHand {
  tool: PointerTool = 'look';
  private dragStart: Point = { x: 0, y: 0 };
  private previous: Point = { x: 0, y: 0 };

  constructor(
    model: RoomModel,
    view: RoomView,
    private readonly target: PointerTarget,
  ) {
    super(model, view);
  }

  toolStart(x: number, y: number): void {
    this.previous = { x, y };
    this.dragStart = this.view.toWorld(this.previous);
  }

  toolMove(x: number, y: number, now: number): void {
    const { planes } = this.model;
    if (this.tool !== 'area') this.view.rig.panBy(x - this.previous.x, y - this.previous.y, now);
    else if (planes)
      this.target.area(areaBetween(this.dragStart, this.view.toWorld({ x, y }), planes));
    this.previous = { x, y };
    this.view.loop.invalidate();
  }

  toolEnd(x: number, y: number, tap: boolean, now: number): void {
    if (this.tool === 'area') return;
    if (tap && this.tool === 'point') this.target.pointed(this.view.toWorld({ x, y }));
    else if (tap) this.target.tapped(this.organismAt({ x, y }));
    else this.view.rig.release(now);
    this.view.loop.invalidate();
  }

  toolCancel(): void {}

  hover(x: number, y: number): void {
    const organism = this.tool === 'look' ? this.organismAt({ x, y }) : 0;
    if (organism === this.view.hovered) return;
    this.view.hovered = organism;
    this.view.loop.invalidate();
  }

  doubleTap(): void {
    this.view.rig.fit();
    this.view.loop.invalidate();
  }

  leave(): void {
    this.view.hovered = 0;
    this.view.loop.invalidate();
  }
}
