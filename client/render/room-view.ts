/**
 * Connects model, interaction state and renderer: decides what each picture shows, and when to
 * draw.
 */
import { type Rect, windowAround } from '../../shared/geometry.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../net/room-model.ts';
import type { InteractionState } from '../state/interaction-state.ts';
import { type Point, type Size, screenToWorld, worldToScreen } from './camera.ts';
import { CameraRig } from './camera-rig.ts';
import type { Effects } from './effects.ts';
import { drawEnergyRing, type EnergyRing } from './energy-ring.ts';
import { FrameLoop } from './frame-loop.ts';
import { Interpolation, Resolution } from './frame-pacing.ts';
import { LifeEffects } from './life-effects.ts';
import { MarkList } from './marks.ts';
import { drawPreview } from './planting-preview.ts';
import { Renderer } from './renderer.ts';

const FADE = 600;
const FADED = 0.45;

export interface Pointer extends Point {
  readonly pressed: boolean;
}

/** A room on a canvas: camera, animation and pointer highlights. */
export class RoomView {
  readonly rig = new CameraRig();
  readonly loop = new FrameLoop((now) => this.draw(now));
  hovered = 0;
  /** The visitor's own pointer in CSS pixels, while it is over the canvas. */
  pointer: Pointer | undefined;
  /** Provides the energy ring while a stroke is in progress. */
  gauge: (() => EnergyRing) | undefined;
  /** Runs with each picture, to move other elements. Returns whether they will move again. */
  onFrame: (now: number) => boolean = () => false;

  private readonly renderer: Renderer;
  private readonly interpolation = new Interpolation();
  private readonly resolution = new Resolution();
  private readonly happenings: LifeEffects;
  private readonly marks = new MarkList();
  private view: Size = { width: 1, height: 1 };
  private faded = 0;
  private drawnAt = 0;
  private readonly deaf: readonly (() => void)[];

  /** @throws GlError when this browser has no WebGL2 */
  constructor(
    canvas: HTMLCanvasElement,
    private readonly model: RoomModel,
    private readonly state: InteractionState,
  ) {
    this.happenings = new LifeEffects(model, () => this.loop.invalidate());
    this.renderer = new Renderer(canvas, () => this.loop.invalidate());
    const opened = (): void => {
      if (model.planes) this.renderer.upload(model.planes, []);
      this.loop.invalidate();
    };
    this.deaf = [
      model.on('welcome', opened),
      model.on('wall', opened),
      model.on('picture', ({ changed, replaced: anew }) => this.arrived(changed, anew)),
      model.on('connection', () => this.loop.invalidate()),
      state.onChange(() => this.loop.invalidate()),
    ];
  }

  /** Stops drawing and removes all listeners. Another view may then use the canvas. */
  dispose(): void {
    this.loop.end();
    for (const off of this.deaf) off();
    this.happenings.dispose();
    this.renderer.dispose();
  }

  get effects(): Effects {
    return this.happenings.effects;
  }

  /** Randomness for effects. */
  get chance(): () => number {
    return this.happenings.chance;
  }

  get size(): Size {
    return this.view;
  }

  resize(view: Size): void {
    this.view = view;
    this.loop.invalidate();
  }

  /** Moves the camera to an organism. */
  show({ x, y, side }: OrganismView): void {
    this.rig.show(windowAround(x, y, 2.4 * side));
    this.loop.invalidate();
  }

  setSheet(image: HTMLImageElement): void {
    const { checkpoint } = this.model;
    if (checkpoint) this.renderer.setSheet(image, checkpoint.sheet.columns, checkpoint.side);
  }

  toWorld(point: Point): Point {
    return screenToWorld(this.rig.camera, this.view, point);
  }

  toScreen(point: Point): Point {
    return worldToScreen(this.rig.camera, this.view, point);
  }

  private arrived(changed: readonly Rect[], anew: readonly Rect[]): void {
    const { planes } = this.model;
    if (!planes) return;
    const now = performance.now();
    if (changed.length > 0) {
      this.renderer.upload(planes, changed);
      this.interpolation.arrived(now);
    }
    this.happenings.arrived(changed, anew, now);
    this.loop.invalidate();
  }

  private draw(now: number): boolean {
    const { model, rig, marks, state } = this;
    const moving = rig.step(now);
    const fading = this.fade(now);
    const share = this.interpolation.share(now);
    marks.clear();
    const happening = this.happenings.draw(now, marks);
    if (this.pointer && model.planes && model.checkpoint && model.connection === 'live') {
      const at = this.toWorld(this.pointer);
      drawPreview(state, model.planes, model.checkpoint, at, this.pointer.pressed, marks);
      const { tool, radius } = state.state;
      if (tool === 'damage' && this.pointer.pressed && this.gauge) {
        drawEnergyRing(this.gauge(), at, radius, rig.camera.zoom, marks);
      }
    }
    const { selection, crisp } = state.state;
    this.renderer.draw(
      {
        camera: rig.camera,
        view: this.view,
        share,
        crisp,
        faded: this.faded,
        marks,
        highlights: {
          selected: selection?.organism ?? 0,
          hovered: this.hovered === selection?.organism ? 0 : this.hovered,
          second: selection?.second ?? 0,
        },
      },
      this.resolution.ratio(devicePixelRatio),
      now,
    );
    const others = this.onFrame(now);
    const more = moving || fading || happening || share < 1 || others;
    return (more && this.resolution.frame(now)) || more;
  }

  /** Desaturates the picture a little while there is no connection. */
  private fade(now: number): boolean {
    const goal = this.model.connection === 'reconnecting' ? FADED : 0;
    const step = (Math.min(64, now - this.drawnAt) / FADE) * FADED;
    this.drawnAt = now;
    const way = goal - this.faded;
    this.faded += Math.sign(way) * Math.min(Math.abs(way), step);
    return this.faded !== goal;
  }
}
