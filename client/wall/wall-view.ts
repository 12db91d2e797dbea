/** Draws a wall's room on its canvas: camera, animation, and when a new picture is due. */
import type { Planes } from '../../shared/codec/chunks.ts';
import type { Rect } from '../../shared/geometry.ts';
import {
  between,
  type Camera,
  type Insets,
  type Point,
  type Size,
  screenToWorld,
} from '../render/camera.ts';
import { CanvasView, type Framing } from '../render/canvas-view.ts';
import { Resolution } from '../render/frame-pacing.ts';
import { driftAt } from '../render/shaders/scene.ts';
import type { RoomModel } from '../room/room-model.ts';
import { closeUpOf, drifted, frameOf, regionOf, wholeAround, wholeView } from './framing.ts';
import type { WallOptions } from './wall-options.ts';

const NOTHING = { selected: 0, hovered: 0, second: 0 } as const;
/** Time after which a wall with reduced resolution tries a higher one, ms. */
const PATIENCE = 60_000;
/** Frame gaps longer than this are pauses, not slow frames; ms. A wall is rarely idle. */
const PAUSE = 5_000;
/** Time of a glide to a place or back, ms. */
const GLIDE = 4_000;

/** A room on a wall's canvas. */
export class WallView extends CanvasView {
  camera: Camera = { x: 0, y: 0, zoom: 1 };
  /** Number of pictures drawn. */
  drawn = 0;
  protected override readonly breathes = Number.POSITIVE_INFINITY;
  private insets: Insets = { top: 0, right: 0, bottom: 0, left: 0 };
  private home: Camera | undefined;
  /** The place that is shown from close by; undefined: the whole room. */
  private place: Point | undefined;
  /** Cameras of the whole picture: now, and where a glide leads. */
  private now: Camera | undefined;
  private goal: Camera | undefined;
  /** Where a glide has begun, and when; ms. */
  private glide: { readonly from: Camera; since?: number } | undefined;
  /** Whether the previous picture was followed by this one without a pause. */
  private busy = false;

  /** @throws GlError when this browser has no WebGL2 */
  constructor(
    canvas: HTMLCanvasElement,
    model: RoomModel,
    private readonly options: WallOptions,
  ) {
    super(canvas, model, new Resolution(PATIENCE, PAUSE));
  }

  /** Whether anything that flashes is being softened. */
  get isSoft(): boolean {
    return this.unsettled;
  }

  /**
   * Sets the sizes.
   *
   * @param insets space that text takes at the sides of the whole picture
   */
  layout(view: Size, insets: Insets): void {
    Object.assign(this, { view, insets });
    this.home = undefined;
    this.loop.invalidate();
  }

  /** Glides to a place and stays there; undefined: back to the whole room. */
  showPlace(place: Point | undefined): void {
    if (place?.x === this.place?.x && place?.y === this.place?.y) return;
    this.place = place;
    const { calm } = this.happenings.effects;
    this.glide = this.now && !calm ? { from: this.now } : undefined;
    this.loop.invalidate();
  }

  /** Where the camera will be after a glide. */
  get heading(): Camera {
    return this.goal ? regionOf(this.goal, this.view, this.options) : this.camera;
  }

  /** Disables drift and moving light (prefers-reduced-motion). */
  setCalm(calm: boolean): void {
    this.happenings.effects.calm = calm;
    this.loop.invalidate();
  }

  protected override get ratio(): number {
    return this.options.resolution === 'full' ? devicePixelRatio : super.ratio;
  }

  /**
   * Shows other planes of the same size instead of the room; undefined: the room again.
   *
   * @param step until the next planes, ms
   */
  showInstead(planes: Planes | undefined, step?: number): void {
    this.isAway = planes !== undefined;
    const shown = planes ?? this.model.planes;
    if (!shown) return;
    const { width, height } = shown;
    this.upload(shown, [{ x: 0, y: 0, width, height }], [], step);
    this.loop.invalidate();
  }

  /** How many places organisms own in a part of the picture; CSS pixels. */
  ownedIn({ x, y, width, height }: Rect): number {
    const { planes } = this.model;
    if (!planes) return 0;
    const from = screenToWorld(this.camera, this.view, { x, y });
    const to = screenToWorld(this.camera, this.view, { x: x + width, y: y + height });
    let count = 0;
    for (let j = Math.max(0, Math.floor(from.y)); j < Math.min(planes.height, to.y); j++) {
      for (let i = Math.max(0, Math.floor(from.x)); i < Math.min(planes.width, to.x); i++) {
        if (planes.owner[j * planes.width + i] !== 0) count++;
      }
    }
    return count;
  }

  /** The room that is shown. */
  get room(): RoomModel['room'] {
    return this.model.room;
  }

  protected override draw(now: number): boolean {
    if (!this.busy) this.resolution.rest(now);
    this.drawn++;
    this.busy = super.draw(now);
    return this.busy;
  }

  protected frame(now: number): Framing {
    const { camera, options, view } = this;
    const { calm } = this.happenings.effects;
    return {
      ...{ camera, whole: wholeAround(view, options), highlights: NOTHING },
      ...{ time: calm ? 0 : driftAt(now), crisp: false, faded: 0 },
    };
  }

  protected move(now: number): boolean {
    const { model, options, view, insets } = this;
    if (!model.room) return false;
    const whole = wholeView(view, options);
    this.home ??= frameOf(options.frame, model.room, whole, insets);
    const drifts = options.frame !== 'fixed' && !this.happenings.effects.calm && !this.place;
    const scene = { grid: model.room, view: whole, frame: options.frame, insets };
    const { side = 32 } = model.checkpoint ?? {};
    if (this.place) this.goal = closeUpOf(this.place, side, this.home, scene);
    else this.goal = drifts ? drifted(this.home, scene, now / 1000) : this.home;
    this.now = this.glided(this.goal, now);
    this.camera = regionOf(this.now, view, options);
    return drifts || this.glide !== undefined;
  }

  /** The camera on its way to a goal, which may drift. */
  private glided(goal: Camera, now: number): Camera {
    const { glide } = this;
    if (!glide) return goal;
    glide.since ??= now;
    const share = (now - glide.since) / GLIDE;
    if (share >= 1) {
      this.glide = undefined;
      return goal;
    }
    return between(glide.from, goal, share ** 2 * (3 - 2 * share));
  }
}
