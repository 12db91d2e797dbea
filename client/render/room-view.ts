/** A visitor's or host's view of a room. Decides what each picture shows. */
import type { Rect } from '../../shared/geometry.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../room/room-model.ts';
import { type InteractionState, isBrush } from '../state/interaction-state.ts';
import type { Camera, Size } from './camera.ts';
import { CameraRig } from './camera-rig.ts';
import { CanvasView, type Framing } from './canvas-view.ts';
import type { Effects } from './effects.ts';
import { Resolution } from './frame-pacing.ts';
import { drawEnergyRing, drawPreview, type EnergyRing, type Pointer } from './planting-preview.ts';
import type { CanvasStyle } from './renderer.ts';

const FADE = 600;
const FADED = 0.45;

/** Draws a room on a canvas, with a camera and the visitor's pointer. */
export class RoomView extends CanvasView {
  readonly rig = new CameraRig();
  hovered = 0;
  /** The visitor's own pointer, in CSS pixels; undefined while it is not over the canvas. */
  pointer: Pointer | undefined;
  /** Returns the energy ring to draw; undefined unless a stroke is in progress. */
  gauge: (() => EnergyRing) | undefined;
  private faded = 0;
  private panned = false;
  private drawnFrom: Camera = { x: 0, y: 0, zoom: 1 };
  private fadedAt = 0;

  /** @throws GlError if this browser has no WebGL2 */
  constructor(
    canvas: HTMLCanvasElement,
    model: RoomModel,
    private readonly state: InteractionState,
    style?: CanvasStyle,
  ) {
    super(canvas, model, new Resolution(), style);
    this.unsubscribers.push(
      model.on('connection', () => this.loop.invalidate()),
      state.onChange(() => this.loop.invalidate()),
    );
  }

  get camera(): Camera {
    return this.rig.camera;
  }

  get effects(): Effects {
    return this.happenings.effects;
  }

  get size(): Size {
    return this.view;
  }

  resize(view: Size): void {
    this.view = view;
    this.loop.invalidate();
  }

  /** Moves the camera to an organism. */
  show(organism: Pick<OrganismView, 'x' | 'y' | 'side'>): void {
    this.rig.show(organism, organism.side);
    this.loop.invalidate();
  }

  /** Follows a growing organism until the visitor moves the camera. */
  follow(organism: OrganismView): void {
    this.rig.follow(organism, organism.side, organism.stage);
    this.loop.invalidate();
  }

  /** Moves the camera to show a whole area. */
  match(area: Rect): void {
    this.rig.match(area);
    this.loop.invalidate();
  }

  setSheet(image: HTMLImageElement): void {
    const { checkpoint } = this.model;
    if (checkpoint) this.renderer.setSheet(image, checkpoint.sheet.columns);
  }

  protected override get isStill(): boolean {
    return this.state.state.still;
  }

  protected move(now: number): boolean {
    const before = this.drawnFrom;
    const moving = this.rig.step(now);
    const { x, y, zoom } = this.camera;
    this.panned = x !== before.x || y !== before.y || zoom !== before.zoom;
    this.drawnFrom = { x, y, zoom };
    return this.fade(now) || moving;
  }

  protected frame(): Framing {
    const { pointer, state, hovered } = this;
    if (pointer) this.drawPointer(pointer, state.state, this.gauge);
    const { selection, crisp } = state.state;
    const selected = selection?.organism ?? 0;
    return {
      ...{ camera: this.camera, crisp, faded: this.faded, panned: this.panned },
      highlights: {
        selected,
        hovered: hovered === selected ? 0 : hovered,
        second: selection?.second ?? 0,
      },
    };
  }

  /** Draws what a tool would do at a pointer. */
  protected drawPointer(
    pointer: Pointer,
    state: InteractionState['state'],
    gauge: RoomView['gauge'],
  ): void {
    const { model, marks } = this;
    if (model.connection !== 'live') return;
    const at = this.toWorld(pointer);
    const { tool, radius } = state;
    drawPreview(model, state, { ...at, pressed: pointer.pressed }, marks);
    if (!isBrush(tool) || !pointer.pressed || !gauge) return;
    drawEnergyRing(gauge(), { at, radius, zoom: this.camera.zoom }, marks);
  }

  /** Slightly desaturates the picture while there is no connection. */
  private fade(now: number): boolean {
    const goal = this.model.connection === 'reconnecting' ? FADED : 0;
    const step = (Math.min(64, now - this.fadedAt) / FADE) * FADED;
    this.fadedAt = now;
    const way = goal - this.faded;
    this.faded += Math.sign(way) * Math.min(Math.abs(way), step);
    return this.faded !== goal;
  }
}
