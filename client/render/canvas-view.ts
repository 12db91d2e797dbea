/**
 * Base class of all views of a room: uploads each tick to the GPU, and draws when something has
 * changed.
 */
import type { Planes } from '../../shared/codec/chunks.ts';
import type { Rect } from '../../shared/geometry.ts';
import type { Sky } from '../../shared/vocabulary.ts';
import type { RoomModel } from '../room/room-model.ts';
import { type Camera, type Point, type Size, screenToWorld, worldToScreen } from './camera.ts';
import { Current, displace, EASE, undisplace } from './current.ts';
import { LifeEffects } from './effects.ts';
import { FrameLoop, type Resolution, TickLength } from './frame-pacing.ts';
import { MarkList } from './marks.ts';
import { hasPainter, mayPaint, type Network, paintsAlways } from './paint/may-paint.ts';
import type { Painting } from './paint/painting.ts';
import { type CanvasStyle, type Picture, Renderer } from './renderer.ts';
import { BREATH, lightOf } from './shaders/scene.ts';

/** Time between two pictures while organisms breathe and nothing else moves, in ms. */
const BREATH_STEP = 80;
/** Time between two pictures while the current flows and nothing else moves, in ms. */
const FLOW_STEP = 50;
/** Season (month) and hour whose light a room shows if its server sends no time. */
const NOON: Sky = [6, 12];
/** Minimum size of a cell at which organisms visibly breathe, in CSS pixels. */
const BREATH_ZOOM = 3;

/** The parts of a picture that each kind of view decides for itself. */
export type Framing = Omit<Picture, 'view' | 'breath' | 'field' | 'light' | 'marks' | 'flashLimit'>;

/** Draws a room on a canvas. Connects model, effects and renderer, and paces the pictures. */
export abstract class CanvasView {
  readonly loop = new FrameLoop((now) => {
    if (this.renderer.isBehind(now)) {
      this.waited = true;
      return true;
    }
    const more = this.draw(now);
    this.waited = false;
    return more;
  });
  /**
   * Called with each picture, so that other elements can move. Returns whether these elements will
   * move again.
   */
  onFrame: (now: number) => boolean = () => false;
  /** Called when films can be painted. */
  onPainter: (paint: NonNullable<Painting['film']>) => void = () => {};
  protected readonly renderer: Renderer;
  protected readonly happenings: LifeEffects;
  protected readonly marks = new MarkList();
  protected view: Size = { width: 1, height: 1 };
  /** Whether the canvas shows something other than the room at the moment. */
  protected isAway = false;
  /** Whether the last picture was softened against flashes, so that another picture must follow. */
  protected unsettled = false;
  /** How long organisms breathe after anything else has moved, in ms. Limited to save batteries. */
  protected readonly breathes: number = 20_000;
  private readonly current = new Current();
  /** Whether to draw everything, however slow this machine is. */
  private readonly isAlways = paintsAlways();
  private readonly ticks = new TickLength();
  private breath = 0;
  private drawnAt = 0;
  private movedAt = 0;
  /** Whether the room's first picture has arrived. */
  private isPictured = false;
  /** Whether the next picture had to wait for the GPU. */
  private waited = false;
  /** Whether the painter's code has been requested. */
  private hasAsked = false;
  private painting: Painting | undefined;
  private isDisposed = false;
  /** Functions that remove this view's listeners. */
  protected readonly unsubscribers: (() => void)[];

  /** @throws GlError if this browser has no WebGL2 */
  constructor(
    canvas: HTMLCanvasElement,
    protected readonly model: RoomModel,
    protected readonly resolution: Resolution,
    style?: CanvasStyle,
  ) {
    const invalidate = (): void => this.loop.invalidate();
    this.happenings = new LifeEffects(model, this.current.ripples, invalidate);
    this.renderer = new Renderer(canvas, invalidate, style);
    const opened = (): void => {
      this.current.ticked(model.room?.tick ?? 0, performance.now());
      // The first picture takes longest on a slow GPU, so do not spend it on an empty dish.
      if (this.isPictured && model.planes && !this.isAway) this.upload(model.planes, [], []);
      invalidate();
    };
    this.unsubscribers = [
      model.on('opened', opened),
      model.on('settings', invalidate),
      model.on('picture', ({ changed, replaced }) => {
        const now = performance.now();
        this.current.ticked(model.tick ?? 0, now);
        // Cells that die while the canvas shows something else must leave no dust.
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

  /** Stops drawing and removes all listeners. Another view may then use the canvas. */
  dispose(): void {
    this.isDisposed = true;
    this.loop.end();
    for (const off of this.unsubscribers) off();
    this.happenings.dispose();
    this.painting?.dispose();
    this.renderer.dispose();
  }

  abstract get camera(): Camera;

  /** Returns where a place of the room is seen in the last picture, in CSS pixels. */
  toScreen(place: Point): Point {
    return worldToScreen(this.camera, this.view, displace(place, this.current));
  }

  /** Returns which place of the room is seen at a point of the last picture. */
  toWorld(point: Point): Point {
    return undisplace(screenToWorld(this.camera, this.view, point), this.current);
  }

  /** Whether the visitor has asked for still water. */
  protected get isStill(): boolean {
    return false;
  }

  /** Advances this view's movement. @returns whether the next picture will move again */
  protected abstract move(now: number): boolean;

  /** Frames the next picture, after `move`, and adds marks on top of the effects' marks. */
  protected abstract frame(now: number): Framing;

  /**
   * Uploads the planes to show from now on.
   *
   * @param changed areas that differ from the planes shown before
   * @param atOnce the changed areas to show without delay
   * @param tick duration of a tick, ms
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

  /** @returns whether the next picture will differ */
  protected draw(now: number): boolean {
    const { marks, view, renderer } = this;
    // If painting slowed this frame, count the frame as a rest, so that it does not lower the
    // resolution.
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

  /** Loads the painter after the room's first picture, and only if it can run here. */
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
          // Compiling the painter's shaders has delayed this frame. Count the delay as a rest, so
          // that it does not lower the resolution.
          this.resolution.rest(performance.now());
          this.loop.invalidate();
          if (this.painting?.film) this.onPainter(this.painting.film);
        });
        this.loop.invalidate();
      },
      // Log the error and continue, because without a painter cells are drawn smooth.
      console.warn,
    );
  }

  /** Advances the current. On phones, the current calms before the page comes to rest. */
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
