/** What the tools of every page do alike. */
import type { OrganismId } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../net/room-model.ts';
import type { Point } from '../render/camera.ts';
import type { RoomView } from '../render/room-view.ts';
import type { CanvasHand } from './canvas-input.ts';
import { organismAt } from './pick-organism.ts';

/** Moves the view with pans and pinches, and finds the organism under a pointer. */
export abstract class ViewTools implements Pick<CanvasHand, 'panBy' | 'panEnd' | 'zoomAbout'> {
  constructor(
    protected readonly model: RoomModel,
    protected readonly view: RoomView,
  ) {}

  /** The view is moved by hand. */
  protected moved(): void {}

  panBy(dx: number, dy: number, now: number): void {
    this.moved();
    this.view.rig.panBy(dx, dy, now);
    this.view.loop.invalidate();
  }

  panEnd(now: number): void {
    this.view.rig.release(now);
    this.view.loop.invalidate();
  }

  zoomAbout(x: number, y: number, factor: number): void {
    this.moved();
    this.view.rig.zoomAbout(x, y, factor);
    this.view.loop.invalidate();
  }

  /** @param at CSS pixels of the view */
  protected organismAt(at: Point): OrganismId {
    return organismAt(this.model, this.view.toWorld(at));
  }
}
