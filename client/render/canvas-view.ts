/** Base class of all views of a room. */
import type { Planes } from '../../shared/codec/chunks.ts';
import type { Rect } from '../../shared/geometry.ts';
import type { Sky } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../room/room-model.ts';
import { type Camera, type Point, type Size, screenToWorld, worldToScreen } from './camera.ts';
import { Current, displace, EASE, undisplace } from './current.ts';
import { LifeEffects } from './effects.ts';
import { FrameLoop, type Resolution, TickLength } from './frame-pacing.ts';
import { lightOf } from './light.ts';
import { MarkList } from './marks.ts';
import { hasPainter, mayPaint, type Network, paintsAlways } from './paint/may-paint.ts';
import type { Painting } from './paint/painting.ts';
import { type CanvasStyle, type Picture, Renderer } from './renderer.ts';
import { BREATH } from './shaders/scene.ts';

/**
 * Time between two frames while organisms breathe (move slightly) and nothing else moves, in ms.
 */
const BREATH_STEP = 80;
/** Time between two frames while nothing moves except the water current, in ms. */
const FLOW_STEP = 50;
/** Month and hour of the lighting, used if the server sends no time of day. */
const NOON: Sky = [6, 12];
/** Minimum zoom at which breathing is visible, in CSS pixels per cell. */
const BREATH_ZOOM = 3;

/** The properties of a `Picture` that the subclasses of `CanvasView` determine. */
export type Framing = Omit<Picture, 'view' | 'breath' | 'field' | 'light' | 'marks' | 'flashLimit'>;

/**
 * Draws a room on a canvas. Uploads the cells of each tick to the GPU, and draws a frame when
 * something has changed.
 */
export abstract class CanvasView {
  readonly loop = new FrameLoop((now) => {
    if (this.renderer.unfinished.isMany(now)) {
      this.waited = true;
      return true;
    }
    const more = this.draw(now);
    this.waited = false;
    return more;
  });
  /**
   * Called for each drawn frame, to move HTML elements with the picture. Returns whether these
   * elements need another frame.
   */
  onFrame: (now: number) => boolean = () => false;
  /**
   * Called, possibly several times, after the painter (a neural network that draws cells in detail)
   * has loaded. `paint`: a function that redraws a film with the painter.
   */
  onPainter: (paint: NonNullable<Painting['film']>) => void = () => {};
  protected readonly renderer: Renderer;
  protected readonly happenings: LifeEffects;
  protected readonly marks = new MarkList();
  protected view: Size = { width: 1, height: 1 };
  /** Whether the canvas shows something other than the room, for example a film. */
  protected isAway = false;
  /** Whether the last frame was softened to prevent a flash. If so, another frame must follow. */
  protected unsettled = false;
  /**
   * How long organisms breathe (move slightly) after all other movement in the view has ended, in
   * ms. Limited to save battery.
   */
  protected readonly breathes: number = 20_000;
  private readonly current = new Current();
  /** Whether to show the water current even on a machine that is too slow for it. */
  private readonly isAlways = paintsAlways();
  private readonly ticks = new TickLength();
  private breath = 0;
  private drawnAt = 0;
  private movedAt = 0;
  private isPictured = false;
  /** Whether the next frame was postponed because the GPU was busy. */
  private waited = false;
  /** Whether `paint` has called `mayPaint`, which it does only once. */
  private hasAsked = false;
  private painting: Painting | undefined;
  private isDisposed = false;
  protected readonly unsubscribers: (() => void)[];

  /** @throws GlError if this browser has no WebGL2 */
  constructor(
    canvas: HTMLCanvasElement,
    protected readonly model: RoomModel,
    protected readonly resolution: Resolution,
    style?: CanvasStyle,
  ) {
    const { invalidate } = this.loop;
    this.happenings = new LifeEffects(model, this.current.ripples, invalidate);
    this.renderer = new Renderer(canvas, invalidate, style);
    const opened = (): void => {
      this.current.ticked(model.room?.tick ?? 0, performance.now());
      // On a slow GPU, uploading an empty grid would delay the first cells.
      if (this.isPictured && model.planes && !this.isAway) this.upload(model.planes, [], []);
      invalidate();
    };
    this.unsubscribers = [
      model.on('opened', opened),
      model.on('settings', invalidate),
      model.on('picture', ({ changed, replaced }) => {
        const now = performance.now();
        this.current.ticked(model.tick ?? 0, now);
        // While the canvas does not show the room, dying cells must leave no dust.
        this.happenings.arrived(changed, this.isAway ? changed : replaced, now);
        if (this.isAway) return;
        this.ticks.arrived(now, model.tick ?? 0);
        const isNew = changed.length > 0 || !this.isPictured;
        if (isNew && model.planes) this.upload(model.planes, changed, replaced);
        this.isPictured = true;
        invalidate();
      }),
    ];
  }

  /** Stops drawing and removes all listeners. Afterwards, another view may use the canvas. */
  dispose(): void {
    this.isDisposed = true;
    this.loop.end();
    for (const off of this.unsubscribers) off();
    this.happenings.dispose();
    this.painting?.dispose();
    this.renderer.dispose();
  }

  abstract get camera(): Camera;

  /**
   * Returns the point of the canvas, in CSS pixels, at which the last frame shows a grid position.
   *
   * @param place grid position, in cells
   */
  toScreen(place: Point): Point {
    return worldToScreen(this.camera, this.view, displace(place, this.current));
  }

  /**
   * Returns the grid position, in cells, that the last frame shows at a point of the canvas.
   *
   * @param point in CSS pixels
   */
  toWorld(point: Point): Point {
    return undisplace(screenToWorld(this.camera, this.view, point), this.current);
  }

  /** Whether the visitor has turned off the movement of water and organisms. */
  protected get isStill(): boolean {
    return false;
  }

  /**
   * Advances the animations of the subclass.
   *
   * @returns whether the next frame will differ from this one
   */
  protected abstract move(now: number): boolean;

  /** Describes the next frame, and may add marks. Called after `move`. */
  protected abstract frame(now: number): Framing;

  /**
   * Uploads planes (the colours and owners of all cells), which the canvas then shows.
   *
   * @param changed areas in which these planes differ from those of the last upload
   * @param atOnce members of `changed` that must appear immediately, without interpolation
   * @param tick duration of a tick, in ms
   */
  protected upload(
    planes: Planes,
    changed: readonly Rect[],
    atOnce: readonly Rect[],
    tick = this.ticks.mean,
  ): void {
    this.renderer.upload(planes, changed, { now: performance.now(), tick, atOnce });
  }

  /** Device pixels per CSS pixel. */
  protected get ratio(): number {
    return this.resolution.ratio(devicePixelRatio);
  }

  /** @returns whether the next frame will differ from this one */
  protected draw(now: number): boolean {
    const { marks, view, renderer } = this;
    // Painting may have delayed this frame. Count the delay as a pause, so that it does not lower
    // the resolution.
    if (renderer.paint?.isBusy) this.resolution.rest(now);
    const moving = this.move(now);
    marks.clear();
    const { effects } = this.happenings;
    const happening = !this.isAway && this.happenings.draw(now, marks);
    this.flow(now);
    const { flashLimit = 3, sky = NOON } = this.model.room ?? {};
    const elapsed = Math.min(100, now - this.drawnAt) / 1000;
    this.drawnAt = now;
    this.breath = effects.calm || this.isStill ? 0 : (this.breath + elapsed) % BREATH;
    const { breath } = this;
    const scene = { field: this.current, light: lightOf(this.model.pace?.sky ?? sky), breath };
    const picture = { ...this.frame(now), ...scene, view, marks, flashLimit };
    this.unsettled = renderer.draw(picture, this.ratio, now);
    const others = this.onFrame(now);
    const { current, resolution } = this;
    const cells = now < renderer.until;
    const more = moving || happening || cells || others || this.unsettled;
    if (current.flows && !this.isAlways)
      current.paced(more ? !resolution.isSteady : this.waited, now);
    if (more) {
      this.resolution.frame(now, this.waited, current.flows);
      this.movedAt = now;
    } else if (current.flows) this.loop.wait(FLOW_STEP);
    else if (this.hasBreath(now)) this.loop.wait(BREATH_STEP);
    this.paint(now);
    return more || !!renderer.paint?.moves;
  }

  /**
   * Loads the painter (a neural network that draws cells in detail) after the room's first cells
   * have arrived, if this browser can run the painter.
   */
  private paint(now: number): void {
    const { model, renderer } = this;
    const { gl } = renderer;
    this.painting?.update(now);
    if (this.hasAsked || !this.isPictured || !hasPainter(model, paintsAlways())) return;
    if (gl.isContextLost()) return;
    this.hasAsked = true;
    if (!mayPaint(gl, navigator as Network, paintsAlways())) return;
    import('./paint/painting.ts').then(
      ({ Painting }) => {
        if (this.isDisposed) return;
        this.painting = new Painting(model, renderer, () => {
          // Compiling shaders has delayed this frame. Count the delay as a pause, so that it does
          // not lower the resolution.
          this.resolution.rest(performance.now());
          this.loop.invalidate();
          if (this.painting?.film) this.onPainter(this.painting.film);
        });
        this.loop.invalidate();
      },
      // Without the painter, the page draws cells as smooth shapes.
      console.warn,
    );
  }

  /**
   * Advances the water current. To save battery, the water current fades out if nothing else moves
   * for `breathes` ms.
   */
  private flow(now: number): void {
    const { model, current, happenings } = this;
    const { water = 0, paused = false, dim = false } = model.settings ?? {};
    if (this.isAway) current.stop();
    if (this.isStill || water === 0) current.ripples.fill(0);
    const isMoving = now - this.movedAt < this.breathes - EASE;
    const isCalm = happenings.effects.calm || this.isStill || this.isAway || paused || dim;
    const isQuick = this.resolution.isSteady || this.isAlways;
    const { actual = model.room?.tickRate ?? 15 } = model.pace ?? {};
    current.move(now, actual, water, isMoving && !isCalm && isQuick);
  }

  private hasBreath(now: number): boolean {
    const { resolution, camera, happenings } = this;
    const isNear = camera.zoom >= BREATH_ZOOM && now - this.movedAt < this.breathes;
    return isNear && resolution.isQuick && !happenings.effects.calm && !this.isStill;
  }
}
