/** What gestures do: each tool's meaning, from the pointer to the command. */
import { DEFAULTS } from '../../shared/defaults.ts';
import { clampCentre } from '../../shared/geometry.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { OrganismId } from '../../shared/vocabulary.ts';
import { reasonText } from '../elements/refusal-words.ts';
import type { Desk } from '../net/desk.ts';
import type { RoomModel, Send } from '../net/room-model.ts';
import type { Point } from '../render/camera.ts';
import type { Director } from '../render/director.ts';
import type { Session } from '../session.ts';
import type { GestureTarget } from './gestures.ts';
import { organismAt } from './pick.ts';
import { StrokeSegmenter } from './stroke.ts';
import { Throttle } from './throttle.ts';

export class Tools implements GestureTarget {
  private stroke: StrokeSegmenter | undefined;
  private last: Point = { x: 0, y: 0 };
  private refusedAt = Number.NEGATIVE_INFINITY;
  private readonly cursor: Throttle<Point | undefined>;

  /** @param refuse shows a visitor, near a place of the screen, why something was not done */
  constructor(
    private readonly model: RoomModel,
    private readonly session: Session,
    private readonly desk: Desk,
    private readonly director: Director,
    send: Send,
    private readonly refuse: (text: string, at: Point) => void,
  ) {
    this.cursor = new Throttle((place) => {
      send('cursor', { ...place, tool: this.session.state.tool });
    }, DEFAULTS.net.cursorInterval);
  }

  toolStart(x: number, y: number, now: number): void {
    this.last = { x, y };
    this.point(x, y, true, now);
    const { planes } = this.model;
    if (this.session.state.tool !== 'damage' || !planes) return;
    const world = this.director.toWorld(this.last);
    const { radius } = this.session.state;
    this.director.effects.scar(world.x, world.y, world.x, world.y, radius, now);
    this.stroke = new StrokeSegmenter(planes, (points) => this.wound(points));
    this.stroke.start(world.x, world.y, now);
  }

  toolMove(x: number, y: number, now: number): void {
    if (this.session.state.tool === 'look') {
      this.director.rig.panBy(x - this.last.x, y - this.last.y, now);
    }
    const from = this.director.toWorld(this.last);
    this.last = { x, y };
    this.point(x, y, true, now);
    const to = this.director.toWorld(this.last);
    this.stroke?.move(to.x, to.y, now);
    if (this.stroke) {
      const { radius } = this.session.state;
      this.director.effects.scar(from.x, from.y, to.x, to.y, radius, now);
    }
  }

  toolEnd(x: number, y: number, tap: boolean, now: number): void {
    this.last = { x, y };
    this.point(x, y, false, now);
    const { tool } = this.session.state;
    this.stroke?.end(now);
    this.stroke = undefined;
    if (tool === 'plant') this.plant({ x, y });
    if (tool === 'look' && tap) this.session.select(this.organismAt({ x, y }));
    if (tool === 'look' && !tap) this.director.rig.release(now);
  }

  toolCancel(now: number): void {
    this.stroke?.end(now);
    this.stroke = undefined;
    this.leave(now);
  }

  hover(x: number, y: number, now: number): void {
    this.last = { x, y };
    this.point(x, y, false, now);
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

  doubleTap(x: number, y: number, fingers: 1 | 2): void {
    const { planes } = this.model;
    const { x: i, y: j } = this.director.toWorld({ x, y });
    const onGrid = planes && i >= 0 && j >= 0 && i < planes.width && j < planes.height;
    // On the grid one finger tapping twice is planting or wounding twice, and means just that.
    if (fingers === 2 || !onGrid || this.session.state.tool === 'look') this.director.rig.fit();
    this.director.loop.invalidate();
  }

  /** The pointer has left the canvas. */
  leave(now: number): void {
    this.director.pointer = undefined;
    this.director.hovered = 0;
    this.cursor.push(undefined, now);
    this.director.loop.invalidate();
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
    const world = this.director.toWorld({ x, y });
    this.director.pointer = { x, y, pressed };
    this.director.hovered = this.session.state.tool === 'look' ? this.organismAt({ x, y }) : 0;
    this.cursor.push(world, now);
    this.director.loop.invalidate();
  }

  private organismAt(at: Point): OrganismId {
    return organismAt(this.model, this.director.toWorld(at));
  }

  private plant(at: Point): void {
    const { planes, checkpoint } = this.model;
    if (!planes || !checkpoint) return;
    const world = this.director.toWorld(at);
    const { x, y } = clampCentre(world.x, world.y, checkpoint.side, planes);
    const reach = checkpoint.side / 2 + 6;
    if (Math.abs(world.x - x) > reach || Math.abs(world.y - y) > reach) return;
    const { held } = this.session.state;
    this.desk.ask(
      'plant',
      { x, y, seed: held },
      {
        accepted: () => this.session.sown(Math.random),
        rejected: (reason) => this.refuse(reasonText(reason), at),
      },
    );
  }

  private wound(points: number[]): void {
    const { radius } = this.session.state;
    this.desk.ask(
      'damage',
      { radius, points },
      { rejected: (reason) => this.refuseStroke(reason) },
    );
  }

  /** A drag is many messages; one word about them a while is enough. */
  private refuseStroke(reason: Reason): void {
    const now = performance.now();
    if (now - this.refusedAt < 2_000) return;
    this.refusedAt = now;
    this.refuse(reasonText(reason), this.last);
  }
}
