/** Turns a visitor's gestures and keys into the commands of the current tool, and moves the view. */
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';
import type { CanvasHand } from '../input/canvas-input.ts';
import { nearestCell } from '../input/picking.ts';
import { ToolHand } from '../input/tool-hand.ts';
import type { Point } from '../render/camera.ts';
import type { RoomView } from '../render/room-view.ts';
import { isBrush } from '../state/interaction-state.ts';
import type { ToastLayer } from './elements/toast-layer.ts';
import type { RoomSession } from './room-session.ts';
import { offlineText } from './text.ts';

/** A visitor's pointer: adds the tool *look*, double taps and keys. */
export class Tools extends ToolHand<RoomSession> implements CanvasHand {
  constructor(
    session: RoomSession,
    view: RoomView,
    private readonly toasts: Pick<ToastLayer, 'show'>,
  ) {
    super(session, view);
  }

  override toolEnd(x: number, y: number, tap: boolean, now: number): void {
    super.toolEnd(x, y, tap, now);
    if (this.tool === 'look' && tap) {
      this.session.state.select(this.organismAt({ x, y }), this.view.toWorld({ x, y }));
    }
  }

  /**
   * Closes the top panel on a press, unless the visitor is looking at a selected organism. In that
   * case the press selects the organism under it, or none.
   */
  dismiss(): boolean {
    const { state, panels } = this.session;
    const { tool, selection } = state.state;
    return !(tool === 'look' && selection) && panels.closeTop();
  }

  doubleTap(x: number, y: number, fingers: 1 | 2): void {
    const { planes } = this.model;
    const { x: i, y: j } = this.view.toWorld({ x, y });
    const onGrid = planes && i >= 0 && j >= 0 && i < planes.width && j < planes.height;
    // On the grid, a double tap with one finger acts twice, so it does not move the
    // view.
    if (fingers === 2 || !onGrid || this.session.state.state.tool === 'look') {
      this.moved();
      this.view.rig.fit();
    }
    this.view.loop.invalidate();
  }

  /**
   * Uses the tool at a point on the screen, for the keyboard. Keys select organisms by their
   * middle, which may be a hole, so a stroke hits the nearest cell.
   */
  use(point: Point, now: number): void {
    const place = this.view.toWorld(point);
    const surrounds = ({ x, y, side }: OrganismView): boolean =>
      Math.max(Math.abs(x - place.x), Math.abs(y - place.y)) < side / 2;
    const reach = isBrush(this.session.state.state.tool) ? (this.model.checkpoint?.side ?? 0) : 0;
    const cell = nearestCell(this.model, place, reach, surrounds);
    const at = cell ? this.view.toScreen(cell) : point;
    this.toolStart(at.x, at.y, now);
    this.toolEnd(at.x, at.y, true, now);
  }

  protected override moved(): void {
    this.session.views.stop();
  }

  protected override refused(reason: Reason | undefined, at: Point): void {
    if (reason === 'occupied') this.session.setOccupied(true);
    else this.toasts.show(reason ? this.session.whyNot(reason) : offlineText(), at);
  }
}
