/** Draws a wall's room on its canvas: camera, animation, and when a new picture is due. */
import type { RoomModel } from '../net/room-model.ts';
import {
  type Camera,
  type Insets,
  type Point,
  type Size,
  worldToScreen,
} from '../render/camera.ts';
import { FrameLoop } from '../render/frame-loop.ts';
import { Interpolation, Resolution } from '../render/frame-pacing.ts';
import { LifeEffects } from '../render/life-effects.ts';
import { MarkList } from '../render/marks.ts';
import { Renderer } from '../render/renderer.ts';
import { FlashSafeScreen } from './flash-safe-screen.ts';
import { drifted, frameOf, regionOf, wholeAround, wholeView } from './framing.ts';
import type { WallOptions } from './wall-options.ts';

const NOTHING = { selected: 0, hovered: 0, second: 0 } as const;
/** Time after which a wall with reduced resolution tries a higher one, ms. */
const PATIENCE = 60_000;
/** Frame gaps longer than this are pauses, not slow frames; ms. A wall is rarely idle. */
const PAUSE = 5_000;

/** A room on a wall's canvas. */
export class WallView {
  readonly loop = new FrameLoop((now) => this.draw(now));
  /** Disables drift and moving light (prefers-reduced-motion). */
  calm = false;
  /** Runs with each picture, to move other elements. Returns whether they will move again. */
  onFrame: (now: number) => boolean = () => false;
  camera: Camera = { x: 0, y: 0, zoom: 1 };
  /** Number of pictures drawn. */
  drawn = 0;

  private readonly renderer: Renderer;
  private readonly happenings: LifeEffects;
  private readonly interpolation = new Interpolation();
  private readonly resolution = new Resolution(0.45, PATIENCE, PAUSE);
  private readonly marks = new MarkList();
  private screen: FlashSafeScreen | undefined;
  private view: Size = { width: 1, height: 1 };
  private insets: Insets = { top: 0, right: 0, bottom: 0, left: 0 };
  private home: Camera | undefined;
  /** Whether the previous picture was followed by this one without a pause. */
  private busy = false;

  /** @throws GlError when this browser has no WebGL2 */
  constructor(
    canvas: HTMLCanvasElement,
    private readonly model: RoomModel,
    private readonly options: WallOptions,
  ) {
    const invalidate = (): void => this.loop.invalidate();
    this.happenings = new LifeEffects(model, invalidate);
    this.renderer = new Renderer(canvas, invalidate, (gl) => {
      this.screen = new FlashSafeScreen(gl);
      return this.screen;
    });
    model.on('wall', () => {
      if (model.planes) this.renderer.upload(model.planes, []);
      invalidate();
    });
    model.on('picture', ({ changed, replaced: anew }) => {
      const now = performance.now();
      if (changed.length > 0 && model.planes) {
        this.renderer.upload(model.planes, changed);
        this.interpolation.arrived(now);
      }
      this.happenings.arrived(changed, anew, now);
      invalidate();
    });
  }

  /** Whether anything that flashes is being softened. */
  get isSoft(): boolean {
    return this.screen?.isSoft ?? false;
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

  setCalm(calm: boolean): void {
    this.calm = this.happenings.effects.calm = calm;
    this.loop.invalidate();
  }

  toScreen(place: Point): Point {
    return worldToScreen(this.camera, this.view, place);
  }

  private draw(now: number): boolean {
    const { marks } = this;
    const moving = this.move(now);
    const share = this.interpolation.share(now);
    marks.clear();
    const happening = this.happenings.draw(now, marks);
    const whole = wholeAround(this.view, this.options);
    const picture = {
      whole,
      view: this.view,
      camera: this.camera,
      highlights: NOTHING,
      marks,
      share,
    };
    const ratio =
      this.options.resolution === 'full'
        ? devicePixelRatio
        : this.resolution.ratio(devicePixelRatio);
    const time = this.calm ? 0 : now / 1000;
    this.renderer.draw({ ...picture, time, crisp: false, faded: 0 }, ratio, now);
    this.drawn++;
    const others = this.onFrame(now);
    const more = moving || happening || share < 1 || others || this.isSoft;
    if (!this.busy) this.resolution.rest(now);
    this.busy = more;
    return (more && this.resolution.frame(now)) || more;
  }

  /**
   * Moves the camera.
   *
   * @returns whether it will move again at the next picture
   */
  private move(now: number): boolean {
    const { model, options, view, insets } = this;
    if (!model.room) return false;
    const whole = wholeView(view, options);
    this.home ??= frameOf(options.frame, model.room, whole, insets);
    const drifts = options.frame !== 'fixed' && !this.calm;
    const goal = drifts
      ? drifted(this.home, model.room, whole, options.frame, now / 1000)
      : this.home;
    this.camera = regionOf(goal, view, options);
    return drifts;
  }
}
