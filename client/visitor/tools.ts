/** What gestures do: each tool's meaning, from the pointer to the command. */
import { DEFAULTS } from '../../shared/defaults.ts';
import { clampCentre, type Stroke } from '../../shared/geometry.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { OrganismId } from '../../shared/vocabulary.ts';
import type { Feedback } from '../feedback/feedback.ts';
import type { EnergyEstimate } from '../input/energy-estimate.ts';
import type { GestureTarget } from '../input/gestures.ts';
import { organismAt } from '../input/pick-organism.ts';
import { StrokeSegmenter } from '../input/stroke-segmenter.ts';
import type { RequestTracker } from '../net/request-tracker.ts';
import type { RoomModel, Send } from '../net/room-model.ts';
import type { Point } from '../render/camera.ts';
import type { RoomView } from '../render/room-view.ts';
import { cutOf } from '../render/wound-effect.ts';
import type { InteractionState } from '../state/interaction-state.ts';
import { Throttle } from '../state/throttle.ts';
import { ownerColor } from '../style/owner.ts';
import { offlineText } from './offline-notice.ts';
import { reasonText } from './refusal-text.ts';

/** CSS pixels that a finger covers around the place it points at, and a mouse pointer. */
const FINGER = 40;
const POINTER = 16;

export class Tools implements GestureTarget {
  private stroke: StrokeSegmenter | undefined;
  private last: Point = { x: 0, y: 0 };
  /** Places that the stroke under way has cut. */
  private taken = new Set<number>();
  /** Whether the last piece of it was more than she has energy for. */
  private short = false;
  private refusedAt = Number.NEGATIVE_INFINITY;
  private readonly cursor: Throttle<Point | undefined>;

  /** @param refuse shows a visitor, near a place of the screen, why something was not done */
  constructor(
    private readonly model: RoomModel,
    private readonly state: InteractionState,
    private readonly requests: RequestTracker,
    private readonly view: RoomView,
    send: Send,
    private readonly refuse: (text: string, at: Point) => void,
    private readonly estimate: EnergyEstimate,
    private readonly feedback: Feedback,
  ) {
    const finger = matchMedia('(pointer: coarse)').matches ? FINGER : POINTER;
    view.gauge = () => ({
      share: estimate.share,
      refused: this.short,
      color: ownerColor(model.you?.hue ?? 0),
      finger,
    });
    this.cursor = new Throttle((place) => {
      send('cursor', { ...place, tool: this.state.state.tool });
    }, DEFAULTS.net.cursorInterval);
  }

  toolStart(x: number, y: number, now: number): void {
    this.last = { x, y };
    this.point(x, y, true, now);
    const { planes } = this.model;
    if (this.state.state.tool !== 'damage' || !planes || !this.isOnline(this.last)) return;
    const world = this.view.toWorld(this.last);
    this.taken = new Set();
    this.stroke = new StrokeSegmenter(planes, (points) => this.wound(points));
    this.stroke.start(world.x, world.y, now);
    this.echo(world, world, now);
  }

  toolMove(x: number, y: number, now: number): void {
    if (this.state.state.tool === 'look') {
      this.view.rig.panBy(x - this.last.x, y - this.last.y, now);
    }
    const from = this.view.toWorld(this.last);
    this.last = { x, y };
    this.point(x, y, true, now);
    const to = this.view.toWorld(this.last);
    if (!this.hasStroke()) return;
    this.estimate.draw(Math.hypot(to.x - from.x, to.y - from.y), this.state.state.radius);
    this.echo(from, to, now);
    this.stroke?.move(to.x, to.y, now);
  }

  toolEnd(x: number, y: number, tap: boolean, now: number): void {
    this.last = { x, y };
    this.point(x, y, false, now);
    const { tool } = this.state.state;
    this.endStroke(now);
    if (tool === 'plant') this.plant({ x, y });
    if (tool === 'look' && tap) this.state.select(this.organismAt({ x, y }));
    if (tool === 'look' && !tap) this.view.rig.release(now);
  }

  toolCancel(now: number): void {
    this.endStroke(now);
    this.leave(now);
  }

  hover(x: number, y: number, now: number): void {
    this.last = { x, y };
    this.point(x, y, false, now);
  }

  panBy(dx: number, dy: number, now: number): void {
    this.view.rig.panBy(dx, dy, now);
    this.view.loop.invalidate();
  }

  panEnd(now: number): void {
    this.view.rig.release(now);
    this.view.loop.invalidate();
  }

  zoomAbout(x: number, y: number, factor: number): void {
    this.view.rig.zoomAbout(x, y, factor);
    this.view.loop.invalidate();
  }

  doubleTap(x: number, y: number, fingers: 1 | 2): void {
    const { planes } = this.model;
    const { x: i, y: j } = this.view.toWorld({ x, y });
    const onGrid = planes && i >= 0 && j >= 0 && i < planes.width && j < planes.height;
    // On the grid one finger tapping twice is planting or wounding twice, and means just that.
    if (fingers === 2 || !onGrid || this.state.state.tool === 'look') this.view.rig.fit();
    this.view.loop.invalidate();
  }

  /** The pointer has left the canvas. */
  leave(now: number): void {
    this.view.pointer = undefined;
    this.view.hovered = 0;
    this.cursor.push(undefined, now);
    this.view.loop.invalidate();
  }

  /** Sends a place that was held back for a moment. @returns whether one still waits */
  flush(now: number): boolean {
    return this.cursor.flush(now);
  }

  /** Uses the tool at a place of the screen: what the keyboard does. */
  use(at: Point, now: number): void {
    this.toolStart(at.x, at.y, now);
    this.toolEnd(at.x, at.y, true, now);
  }

  private point(x: number, y: number, pressed: boolean, now: number): void {
    const world = this.view.toWorld({ x, y });
    this.view.pointer = { x, y, pressed };
    this.view.hovered = this.state.state.tool === 'look' ? this.organismAt({ x, y }) : 0;
    this.cursor.push(world, now);
    this.view.loop.invalidate();
  }

  private organismAt(at: Point): OrganismId {
    return organismAt(this.model, this.view.toWorld(at));
  }

  /** Whether the room hears what she does; else she is told so where she has done it. */
  private isOnline(at: Point): boolean {
    if (this.model.connection === 'live') return true;
    this.refuse(offlineText(), at);
    this.feedback.refused();
    return false;
  }

  /** Whether a stroke is under way; it ends where the line breaks. */
  private hasStroke(): boolean {
    if (this.stroke && !this.isOnline(this.last)) this.stroke = undefined;
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
    const reach = checkpoint.side / 2 + 6;
    if (Math.abs(world.x - x) > reach || Math.abs(world.y - y) > reach) return;
    if (!this.isOnline(at)) return;
    const { held } = this.state.state;
    // The finger is answered at once; the seed is there when the server has it.
    this.view.effects.sown(x, y, ownerColor(this.model.you?.hue ?? 0), performance.now());
    this.requests.ask(
      'plant',
      { x, y, seed: held },
      {
        accepted: () => this.state.sown(Math.random),
        rejected: (reason) => this.refuse(reasonText(reason), at),
      },
    );
  }

  private wound(points: number[]): void {
    const { radius } = this.state.state;
    const sent = this.estimate.send({ points, radius });
    this.requests.ask(
      'damage',
      { radius, points },
      {
        accepted: sent.accepted,
        rejected: (reason) => {
          sent.rejected();
          this.refuseStroke(reason, { points, radius });
        },
      },
    );
  }

  /** What a piece of a stroke does, shown before the server has been asked: it answers within a tick or two. */
  private echo(from: Point, to: Point, now: number): void {
    const { planes } = this.model;
    if (!planes) return;
    const { effects, chance } = this.view;
    const { radius } = this.state.state;
    const way = { x: from.x, y: from.y, x2: to.x, y2: to.y };
    const wasShort = this.short;
    this.short = !this.estimate.isEnough || this.model.settings?.paused === true;
    if (this.short) {
      effects.refused(way, radius, now);
      if (!wasShort) this.feedback.refused();
      return;
    }
    const cut = cutOf({ points: [from.x, from.y, to.x, to.y], radius }, planes, this.taken);
    effects.cut(cut, way, radius, now, chance);
    this.feedback.cut(cut.flesh.length, radius, now);
  }

  /** A drag is many messages; one word about them a while is enough. */
  private refuseStroke(reason: Reason, { points, radius }: Stroke): void {
    const now = performance.now();
    this.short = reason === 'no-energy';
    const [x2, y2] = [points[points.length - 2], points[points.length - 1]];
    this.view.effects.refused({ x: points[0], y: points[1], x2, y2 }, radius, now);
    if (now - this.refusedAt < 2_000) return;
    this.refusedAt = now;
    this.refuse(reasonText(reason), this.last);
  }
}
