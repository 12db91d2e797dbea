/** Turns gestures into the commands of the current tool: plant, graft, damage or look. */

import { clampCentre, type Stroke } from '../../shared/geometry.ts';
import type { SeedSource } from '../../shared/protocol/commands.ts';
import { POINTER_INTERVAL } from '../../shared/protocol/pointers.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { OrganismView, Tool } from '../../shared/vocabulary.ts';
import { type CanvasHand, ViewTools } from '../input/canvas-input.ts';
import { StrokeSegmenter } from '../input/gestures.ts';
import { nearestCell } from '../input/picking.ts';
import type { Point } from '../render/camera.ts';
import { cutOf, freshPlaces, type Speck } from '../render/effects.ts';
import type { RoomView } from '../render/room-view.ts';
import { Throttle } from '../state/browser-store.ts';
import { isBrush } from '../state/interaction-state.ts';
import { ownerColor } from '../style/fragments.ts';
import type { ToastLayer } from './elements/toast-layer.ts';
import type { RoomSession } from './room-session.ts';
import { offlineText } from './text.ts';

/** Size of the area that a finger or a mouse pointer covers, in CSS pixels. */
const FINGER = 40;
const POINTER = 16;

/** Applies the selected tool where the visitor points; shows effects before the server answers. */
export class Tools extends ViewTools implements CanvasHand {
  /**
   * The tool of the current press. It is stored because a seed that arrives during the press
   * changes the visitor's tool.
   */
  private tool: Tool | undefined;
  private stroke: StrokeSegmenter | undefined;
  /** The seed that the current stroke grafts; undefined if the stroke damages. */
  private seed: SeedSource | undefined;
  private lastPoint: Point = { x: 0, y: 0 };
  /** Indices of the places that the current stroke has already covered. */
  private covered = new Set<number>();
  /** Whether the stroke's last segment had no effect: low energy, or the room was paused. */
  private isShort = false;
  private lastRefusal = Number.NEGATIVE_INFINITY;
  private readonly cursor: Throttle<Point | undefined>;

  constructor(
    private readonly session: RoomSession,
    view: RoomView,
    private readonly toasts: Pick<ToastLayer, 'show'>,
  ) {
    super(session.model, view);
    const { connection, estimate, model, state } = session;
    const finger = matchMedia('(pointer: coarse)').matches ? FINGER : POINTER;
    view.gauge = () => ({
      share: estimate.share,
      refused: this.isShort,
      color: ownerColor(model.you?.hue ?? 0),
      finger,
    });
    this.cursor = new Throttle((place) => {
      if (!session.watches) connection.send('cursor', { ...place, tool: state.state.tool });
    }, POINTER_INTERVAL);
  }

  /** The end of the current stroke; undefined unless a stroke is in progress. */
  get drawing(): Point | undefined {
    return this.stroke && this.lastPoint;
  }

  toolStart(x: number, y: number, now: number): void {
    this.point(x, y, true, now);
    const { planes } = this.model;
    const { tool, held } = this.session.state.state;
    this.tool = tool;
    if (!isBrush(tool) || !planes || !this.isOnline(this.lastPoint)) return;
    const world = this.view.toWorld(this.lastPoint);
    this.covered = new Set();
    this.seed = tool === 'graft' ? held : undefined;
    this.stroke = new StrokeSegmenter(planes, (points) => this.send(points));
    this.stroke.start(world.x, world.y, now);
    this.previewSegment(world, world, now);
  }

  toolMove(x: number, y: number, now: number): void {
    if (this.tool === 'look') {
      this.moved();
      this.view.rig.panBy(x - this.lastPoint.x, y - this.lastPoint.y, now);
    }
    const from = this.view.toWorld(this.lastPoint);
    this.point(x, y, true, now);
    const to = this.view.toWorld(this.lastPoint);
    if (!this.hasStroke()) return;
    this.session.estimate.draw(
      Math.hypot(to.x - from.x, to.y - from.y),
      this.session.state.state.radius,
    );
    this.previewSegment(from, to, now);
    this.stroke?.move(to.x, to.y, now);
  }

  toolEnd(x: number, y: number, tap: boolean, now: number): void {
    const { tool } = this;
    this.point(x, y, false, now);
    this.endStroke(now);
    if (tool === 'plant') this.plant({ x, y });
    if (tool !== 'look') return;
    if (tap) this.session.state.select(this.organismAt({ x, y }), this.view.toWorld({ x, y }));
    else this.view.rig.release(now);
  }

  toolCancel(now: number): void {
    this.endStroke(now);
    this.leave(now);
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

  hover(x: number, y: number, now: number): void {
    this.point(x, y, false, now);
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

  /** Handles the event that the pointer has left the canvas. */
  leave(now: number): void {
    this.view.pointer = undefined;
    this.view.hovered = 0;
    this.cursor.push(undefined, now);
    this.view.loop.invalidate();
  }

  /**
   * Sends the pointer's position if the throttle allows it.
   *
   * @returns whether a position is still pending
   */
  flush(now: number): boolean {
    return this.cursor.flush(now);
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

  private point(x: number, y: number, pressed: boolean, now: number): void {
    this.lastPoint = { x, y };
    this.view.pointer = { x, y, pressed };
    this.view.hovered = this.session.state.state.tool === 'look' ? this.organismAt({ x, y }) : 0;
    this.cursor.push(this.view.toWorld({ x, y }), now);
    this.view.loop.invalidate();
  }

  /** Whether the room is connected; if not, shows a notice at the point. */
  private isOnline(at: Point): boolean {
    if (this.model.connection === 'live') return true;
    this.toasts.show(offlineText(), at);
    this.session.feedback.play('refused');
    return false;
  }

  /** Whether a stroke is in progress; cancels it if the connection is lost. */
  private hasStroke(): boolean {
    if (this.stroke && !this.isOnline(this.lastPoint)) this.stroke = undefined;
    return this.stroke !== undefined;
  }

  private endStroke(now: number): void {
    if (this.hasStroke()) this.stroke?.end(now);
    this.stroke = undefined;
  }

  private plant(at: Point): void {
    const { planes, checkpoint } = this.model;
    if (!planes || !checkpoint) return;
    const world = this.view.toWorld(at);
    const { x, y } = clampCentre(world.x, world.y, checkpoint.side, planes);
    const maxOffset = checkpoint.side / 2 + 6;
    if (Math.abs(world.x - x) > maxOffset || Math.abs(world.y - y) > maxOffset) return;
    if (!this.isOnline(at)) return;
    const { held } = this.session.state.state;
    // Show the effect immediately; the organism appears when the server has accepted the seed.
    this.view.effects.sown(x, y, ownerColor(this.model.you?.hue ?? 0), performance.now());
    this.session.requests.ask(
      'plant',
      { x, y, seed: held },
      {
        accepted: () => this.session.sown({ x, y }, held),
        rejected: (reason) => {
          if (reason === 'occupied') this.session.setOccupied(true);
          else this.toasts.show(this.session.whyNot(reason), at);
        },
      },
    );
  }

  /** Sends a segment of a stroke. */
  private send(points: number[]): void {
    const { seed } = this;
    const { estimate, requests, state } = this.session;
    const stroke = { points, radius: state.state.radius };
    const pending = estimate.send(stroke);
    const answers = {
      accepted: () => {
        pending.accepted();
        if (seed && !state.state.grafted) state.update({ grafted: true });
      },
      rejected: (reason: Reason) => {
        pending.rejected();
        this.refuseStroke(reason, stroke);
      },
    };
    if (seed) requests.ask('graft', { ...stroke, seed }, answers);
    else requests.ask('damage', stroke, answers);
  }

  /**
   * Shows the effect of a stroke segment immediately, because the server's answer takes a tick or
   * two.
   */
  private previewSegment(from: Point, to: Point, now: number): void {
    const { planes } = this.model;
    if (!planes) return;
    const { effects } = this.view;
    const { radius } = this.session.state.state;
    const stroke = { points: [from.x, from.y, to.x, to.y], radius };
    const segment = { x: from.x, y: from.y, x2: to.x, y2: to.y };
    const wasShort = this.isShort;
    this.isShort = !this.session.estimate.isEnough || this.session.pause !== '';
    if (this.isShort) {
      effects.refused(segment, radius, now);
      if (!wasShort) this.session.feedback.play('refused');
      return;
    }
    if (this.seed) {
      const places = freshPlaces(stroke, planes, this.covered);
      effects.grafted(this.coloured(places, planes.width), now);
      this.session.feedback.cut(places.length, radius, now);
      return;
    }
    const cut = cutOf(stroke, planes, this.covered);
    effects.cut(cut, segment, radius, now);
    this.session.feedback.cut(cut.flesh.length, radius, now);
  }

  /** Colours places like cells of the seed's creature, or like the visitor before it is known. */
  private coloured(places: readonly number[], width: number): Speck[] {
    const { colours } = this.session.colours;
    const own = ownerColor(this.model.you?.hue ?? 0);
    return places.map((place) => ({
      x: (place % width) + 0.5,
      y: Math.floor(place / width) + 0.5,
      // A large odd step mixes the colours of the picture's rows.
      color: colours[(place * 7_919) % colours.length] ?? own,
    }));
  }

  /**
   * Shows that a segment of a stroke was refused. A stroke sends many segments, so the reason is
   * shown at most every 2 s.
   */
  private refuseStroke(reason: Reason, { points, radius }: Stroke): void {
    const now = performance.now();
    this.isShort = reason === 'no-energy';
    const [x2, y2] = [points[points.length - 2], points[points.length - 1]];
    this.view.effects.refused({ x: points[0], y: points[1], x2, y2 }, radius, now);
    if (now - this.lastRefusal < 2_000) return;
    this.lastRefusal = now;
    this.toasts.show(this.session.whyNot(reason), this.lastPoint);
  }
}
