/** Turns presses into the commands of the current tool: plant, graft or damage. */
import { clampCentre, type Stroke, sweptCells } from '../../shared/geometry.ts';
import type { SeedSource } from '../../shared/protocol/commands.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { POINTER_INTERVAL } from '../../shared/protocol/pointers.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { Tool } from '../../shared/vocabulary.ts';
import type { Feedback } from '../feedback/feedback.ts';
import type { Point } from '../render/camera.ts';
import { cutOf, freshPlaces, type Speck } from '../render/effects.ts';
import type { RoomView } from '../render/room-view.ts';
import type { RequestTracker } from '../room/connection.ts';
import type { RoomModel } from '../room/room-model.ts';
import type { SeedColours } from '../room/seed-previews.ts';
import { Throttle } from '../state/browser-store.ts';
import { type InteractionState, isBrush } from '../state/interaction-state.ts';
import { ownerColor } from '../style/fragments.ts';
import { StrokeSegmenter, ViewTools } from './canvas-input.ts';

/** Size of the area that a finger or a mouse pointer covers, in CSS pixels. */
const FINGER = 40;
const POINTER = 16;

/** A user of the tools: a visitor, or one of the people at a touch table. */
export interface ToolUser {
  readonly model: RoomModel;
  readonly state: InteractionState;
  readonly requests: Pick<RequestTracker, 'ask'>;
  readonly estimate: EnergyEstimate;
  readonly colours: Pick<SeedColours, 'colours'>;
  /** Plays sounds; undefined on pages without sound. */
  readonly feedback?: Pick<Feedback, 'play' | 'cut'>;
  /** Why nobody can act at the moment; '' if everybody can act. */
  readonly pause: string;
  /**
   * Sends the pointer's position on the grid to the server. `place` is undefined if the pointer has
   * left the canvas.
   */
  pointAt(place: Point | undefined): void;
  /** Called when the server has accepted a seed that this user has planted. */
  sown(at: Point, seed: SeedSource): void;
}

/**
 * Uses the selected tool where the visitor presses, and previews the effect until the server
 * answers.
 */
export abstract class ToolHand<U extends ToolUser> extends ViewTools {
  /**
   * The tool that was selected when the current press began. The visitor's selected tool may change
   * during the press.
   */
  protected tool: Tool | undefined;
  private stroke: StrokeSegmenter | undefined;
  /** The seed that the current stroke grafts; undefined if the stroke damages. */
  private seed: SeedSource | undefined;
  protected lastPoint: Point = { x: 0, y: 0 };
  /**
   * Indices of the grid positions that the current stroke has already previewed, so that no
   * position is previewed twice.
   */
  private covered = new Set<number>();
  /**
   * Whether the last stroke segment had no effect, because the visitor had too little energy or
   * nobody could act (see `pause`).
   */
  private isShort = false;
  private lastRefusal = Number.NEGATIVE_INFINITY;
  private readonly cursor: Throttle<Point | undefined>;

  constructor(
    protected readonly session: U,
    view: RoomView,
  ) {
    super(session.model, view);
    const { estimate, model } = session;
    const finger = matchMedia('(pointer: coarse)').matches ? FINGER : POINTER;
    view.gauge = () => ({
      share: estimate.share,
      refused: this.isShort,
      color: ownerColor(model.you?.hue ?? 0),
      finger,
    });
    this.cursor = new Throttle((place) => session.pointAt(place), POINTER_INTERVAL);
  }

  /** The pointer's position while a stroke is in progress, in CSS pixels; otherwise undefined. */
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
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    this.session.estimate.draw(length, this.session.state.state.radius);
    this.previewSegment(from, to, now);
    this.stroke?.move(to.x, to.y, now);
  }

  toolEnd(x: number, y: number, tap: boolean, now: number): void {
    this.point(x, y, false, now);
    this.endStroke(now);
    if (this.tool === 'look' && !tap) this.view.rig.release(now);
    if (this.tool === 'look' && tap) this.tapped({ x, y });
    if (this.tool === 'plant') this.plant({ x, y });
  }

  /** Called when the visitor taps the canvas with the tool *look*. @param _at in CSS pixels */
  protected tapped(_at: Point): void {}

  hover(x: number, y: number, now: number): void {
    this.point(x, y, false, now);
  }

  toolCancel(now: number): void {
    this.endStroke(now);
    this.leave(now);
  }

  /** Hides the pointer after it has left the canvas. */
  leave(now: number): void {
    this.view.pointer = undefined;
    this.view.hovered = 0;
    this.cursor.push(undefined, now);
    this.view.loop.invalidate();
  }

  /**
   * Sends the pointer's last position to the server, if enough time has passed since the previous
   * position.
   *
   * @returns whether a position is still waiting to be sent
   */
  flush(now: number): boolean {
    return this.cursor.flush(now);
  }

  /**
   * Tells the visitor why an action has no effect.
   *
   * @param reason the server's reason; undefined if there is no connection
   * @param at position of the action, in CSS pixels
   */
  protected abstract refused(reason: Reason | undefined, at: Point): void;

  protected point(x: number, y: number, pressed: boolean, now: number): void {
    this.lastPoint = { x, y };
    this.view.pointer = { x, y, pressed };
    this.view.hovered = this.session.state.state.tool === 'look' ? this.organismAt({ x, y }) : 0;
    this.cursor.push(this.view.toWorld({ x, y }), now);
    this.view.loop.invalidate();
  }

  /**
   * Returns whether the room is connected. If the room is not connected, shows at the given
   * position that an action has no effect.
   */
  private isOnline(at: Point): boolean {
    if (this.model.connection === 'live') return true;
    this.refused(undefined, at);
    this.session.feedback?.play('refused');
    return false;
  }

  /**
   * Returns whether a stroke is in progress. If the connection has been lost, first cancels the
   * stroke.
   */
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
    // Show an effect immediately: the organism appears only after the server has accepted the seed.
    this.view.effects.sown(x, y, ownerColor(this.model.you?.hue ?? 0), performance.now());
    this.session.requests.ask(
      'plant',
      { x, y, seed: held },
      {
        accepted: () => this.session.sown({ x, y }, held),
        rejected: (reason) => this.refused(reason, at),
      },
    );
  }

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
   * Shows the likely effect of a stroke segment immediately. The server's answer arrives one or two
   * ticks later.
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
      if (!wasShort) this.session.feedback?.play('refused');
      return;
    }
    if (this.seed) {
      const places = freshPlaces(stroke, planes, this.covered);
      effects.grafted(this.coloured(places, planes.width), now);
      this.session.feedback?.cut(places.length, radius, now);
      return;
    }
    const cut = cutOf(stroke, planes, this.covered);
    effects.cut(cut, segment, radius, now);
    this.session.feedback?.cut(cut.flesh.length, radius, now);
  }

  /**
   * Returns a speck (coloured dot) for each grid position, to preview a graft. The colours are
   * those of the seed's creature or, until they are known, the visitor's own colour.
   */
  private coloured(places: readonly number[], width: number): Speck[] {
    const { colours } = this.session.colours;
    const own = ownerColor(this.model.you?.hue ?? 0);
    return places.map((place) => ({
      x: (place % width) + 0.5,
      y: Math.floor(place / width) + 0.5,
      // Scatter the colours: without the large prime factor, neighbouring positions would get
      // neighbouring entries of `colours`.
      color: colours[(place * 7_919) % colours.length] ?? own,
    }));
  }

  /**
   * Shows that the server has refused a segment of a stroke. Shows the reason at most once every 2
   * s, because a stroke has many segments.
   */
  private refuseStroke(reason: Reason, { points, radius }: Stroke): void {
    const now = performance.now();
    this.isShort = reason === 'no-energy';
    const [x2, y2] = [points[points.length - 2], points[points.length - 1]];
    this.view.effects.refused({ x: points[0], y: points[1], x2, y2 }, radius, now);
    if (now - this.lastRefusal < 2_000) return;
    this.lastRefusal = now;
    this.refused(reason, this.lastPoint);
  }
}

/**
 * Maximum number of unanswered stroke segments. Above this number, the oldest ones count as lost.
 */
const MAX_UNANSWERED = 64;

/**
 * Estimates a visitor's energy: the level in the server's last message, plus the refill since then,
 * minus the price of strokes that the server has not answered yet.
 */
export class EnergyEstimate {
  /**
   * The server's last message about the visitor's energy, and the time at which it arrived, in ms.
   */
  private said: Event<'energy'> | undefined;
  private saidAt = 0;
  /**
   * Stroke segments that the server has not answered yet, oldest first, with their energy prices.
   */
  private unanswered: { readonly price: number }[] = [];
  /** Energy price of what has been drawn but not sent yet. */
  private drawn = 0;
  /**
   * The server's last energy message, with `level` replaced by the estimate. Updated at each
   * message, stroke and answer. Undefined before the first message.
   */
  energy: Event<'energy'> | undefined;
  /** End of the last sent stroke segment; undefined if the server refused the segment. */
  private end: (Point & { readonly radius: number }) | undefined;

  /** @param clock returns the current time, in ms */
  constructor(
    model: Pick<RoomModel, 'on'>,
    private readonly clock: () => number,
  ) {
    model.on('energy', (energy) => {
      this.said = energy;
      this.saidAt = this.clock();
      this.changed();
    });
    model.on('welcome', () => {
      this.unanswered = [];
      this.drawn = 0;
      this.end = undefined;
    });
  }

  /** The estimated energy as a share of its capacity, 0…1. */
  get share(): number {
    return this.said ? Math.max(0, this.left) / this.said.capacity : 1;
  }

  /** Whether the visitor has enough energy for everything drawn so far. */
  get isEnough(): boolean {
    return this.left >= 0;
  }

  /**
   * Lowers the estimated energy by the price of a stroke segment that has just been drawn.
   *
   * @param length length of the segment, in cells
   * @param radius radius of the stroke, in cells
   */
  draw(length: number, radius: number): void {
    this.drawn += length * 2 * radius * (this.said?.damagePerCell ?? 0);
    this.changed();
  }

  /**
   * Records that a stroke segment has been sent.
   *
   * @returns two callbacks; the caller must call the one that matches the server's answer
   */
  send(stroke: Stroke): { accepted(): void; rejected(): void } {
    const { points, radius } = stroke;
    const [x, y] = [points[points.length - 2], points[points.length - 1]];
    const { end } = this;
    const goesOn = points.length > 2 && end?.x === points[0] && end.y === points[1];
    const cells = sweptCells(stroke, goesOn && end?.radius === radius);
    const sent = { price: cells * (this.said?.damagePerCell ?? 0) };
    this.drawn = 0;
    this.end = { x, y, radius };
    this.unanswered = [...this.unanswered, sent].slice(-MAX_UNANSWERED);
    this.changed();
    const answered = (): void => {
      this.unanswered = this.unanswered.filter((other) => other !== sent);
      this.changed();
    };
    return {
      accepted: answered,
      rejected: () => {
        answered();
        this.end = undefined;
      },
    };
  }

  private changed(): void {
    const { said } = this;
    this.energy = said && { ...said, level: Math.max(0, this.left) };
  }

  private get left(): number {
    const { said } = this;
    if (!said) return 0;
    const { level, capacity, refillPerSecond } = said;
    const refilled = ((this.clock() - this.saidAt) / 1000) * refillPerSecond;
    const spent = this.unanswered.reduce((sum, { price }) => sum + price, this.drawn);
    return Math.min(capacity, level + refilled) - spent;
  }
}
