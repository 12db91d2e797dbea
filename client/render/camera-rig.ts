/** Moves the camera over time: glides to a target, coasts after a fling. The clock is passed in. */
import type { Rect } from '../../shared/geometry.ts';
import {
  between,
  type Camera,
  fitGrid,
  type Insets,
  keepNear,
  MAX_ZOOM,
  type Point,
  panBy,
  type Size,
  zoomAbout,
} from './camera.ts';

const GLIDE = 90;
/** Time constants, ms. Moves that the visitor did not make by hand are slower. */
const STROLL = 240;
const COAST = 160;
/** Slower releases do not coast. CSS pixels per ms. */
const MIN_THROW = 0.12;
/** Shorter intervals are too short to measure a velocity, ms. */
const MOMENT = 6;

/** Moves a camera over time, towards a target or after a fling. */
export class CameraRig {
  camera: Camera = { x: 0, y: 0, zoom: 1 };
  /** Disables gliding and coasting (prefers-reduced-motion). */
  calm = false;
  private target: Camera | undefined;
  private glide = GLIDE;
  private velocity = { x: 0, y: 0 };
  /** Distance since the velocity was last measured, CSS pixels. */
  private way = { x: 0, y: 0 };
  private coasting = false;
  private movedAt = 0;
  private steppedAt = Number.NEGATIVE_INFINITY;
  private grid: Size = { width: 1, height: 1 };
  private view: Size = { width: 1, height: 1 };
  private insets: Insets = { top: 0, right: 0, bottom: 0, left: 0 };
  /** Whether the whole grid is shown. If so, it stays fitted when the window is resized. */
  private fitted = true;

  get isFitted(): boolean {
    return this.fitted;
  }

  /** Centre of the view without panels, CSS pixels. Keyboard zoom acts about this point. */
  get middle(): Point {
    const { left, right, top, bottom } = this.insets;
    const { width, height } = this.view;
    return { x: (width + left - right) / 2, y: (height + top - bottom) / 2 };
  }

  layout(grid: Size, view: Size, insets: Insets): void {
    Object.assign(this, { grid, view, insets });
    if (this.fitted) this.camera = this.home();
    this.target = undefined;
  }

  fit(): void {
    this.fitted = true;
    this.go(this.home());
  }

  /** Moves to a part of the grid, centred in the space without panels. Never zooms out. */
  show(part: Rect): void {
    const framed = fitGrid(part, this.view, this.insets);
    this.frame(part, Math.max(framed.zoom, this.camera.zoom));
  }

  /** Moves so that all of a part of the grid is shown, centred in the space without panels. */
  match(part: Rect): void {
    this.frame(part, Math.max(this.minZoom(), fitGrid(part, this.view, this.insets).zoom));
  }

  panBy(dx: number, dy: number, now: number): void {
    this.way.x += dx;
    this.way.y += dy;
    this.set(panBy(this.camera, dx, dy));
    const elapsed = now - this.movedAt;
    // Two fingers report one after the other; only together do they give a direction.
    if (elapsed < MOMENT) return;
    const share = elapsed > 100 ? 1 : 0.4;
    this.velocity.x += (this.way.x / elapsed - this.velocity.x) * share;
    this.velocity.y += (this.way.y / elapsed - this.velocity.y) * share;
    this.way = { x: 0, y: 0 };
    this.movedAt = now;
  }

  /** Ends a drag. The picture coasts if it was flung. */
  release(now: number): void {
    const speed = Math.hypot(this.velocity.x, this.velocity.y);
    this.coasting = !this.calm && now - this.movedAt < 60 && speed > MIN_THROW;
    if (!this.coasting) this.velocity = { x: 0, y: 0 };
    this.way = { x: 0, y: 0 };
  }

  zoomAbout(x: number, y: number, factor: number): void {
    const { camera, view } = this;
    this.set(zoomAbout(camera, view, { x, y }, { factor, minZoom: this.minZoom() }));
  }

  /** Pans and zooms with a glide, for keys and buttons. */
  glideBy(dx: number, dy: number, factor: number): void {
    const from = this.target ?? this.camera;
    const minZoom = this.minZoom();
    const zoomed = zoomAbout(from, this.view, this.middle, { factor, minZoom });
    this.fitted = false;
    this.go(keepNear(panBy(zoomed, dx, dy), this.grid, minZoom));
  }

  /**
   * Advances the animation.
   *
   * @returns whether the camera is still moving
   */
  step(now: number): boolean {
    const elapsed = Math.min(64, now - this.steppedAt);
    this.steppedAt = now;
    if (this.coasting) {
      const { x, y } = this.velocity;
      this.set(panBy(this.camera, x * elapsed, y * elapsed), true);
      const decay = Math.exp(-elapsed / COAST);
      this.velocity = { x: x * decay, y: y * decay };
      this.coasting = Math.hypot(x, y) * decay > 0.01;
    }
    if (this.target) {
      this.camera = between(this.camera, this.target, 1 - Math.exp(-elapsed / this.glide));
      const { x, y, zoom } = this.target;
      const off = Math.hypot(this.camera.x - x, this.camera.y - y) * zoom;
      if (off < 0.3 && Math.abs(this.camera.zoom / zoom - 1) < 0.001) {
        this.camera = this.target;
        this.target = undefined;
      }
    }
    return this.coasting || this.target !== undefined;
  }

  private frame(part: Rect, closest: number): void {
    const zoom = Math.min(MAX_ZOOM, closest);
    const { left, right, top, bottom } = this.insets;
    const x = part.x + part.width / 2 + (right - left) / 2 / zoom;
    const y = part.y + part.height / 2 + (bottom - top) / 2 / zoom;
    this.fitted = false;
    this.go({ x, y, zoom }, STROLL);
  }

  private go(target: Camera, glide = GLIDE): void {
    this.coasting = false;
    this.glide = glide;
    this.target = this.calm ? undefined : target;
    if (this.calm) this.camera = target;
  }

  private set(camera: Camera, coasting = false): void {
    this.camera = keepNear(camera, this.grid, this.minZoom());
    this.target = undefined;
    this.coasting = coasting;
    this.fitted = false;
  }

  private home(): Camera {
    return fitGrid(this.grid, this.view, this.insets);
  }

  private minZoom(): number {
    return this.home().zoom * 0.6;
  }
}
