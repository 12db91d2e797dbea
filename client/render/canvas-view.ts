/** What every view of a room does: uploads its ticks, and draws when something has changed. */
import type { RoomModel } from '../net/room-model.ts';
import { type Camera, type Point, type Size, worldToScreen } from './camera.ts';
import { FrameLoop } from './frame-loop.ts';
import { Interpolation, type Resolution } from './frame-pacing.ts';
import { LifeEffects } from './life-effects.ts';
import { MarkList } from './marks.ts';
import { type Picture, Renderer } from './renderer.ts';

/** What a view decides about a picture; the rest is the same for all. */
export type Framing = Omit<Picture, 'view' | 'share' | 'marks' | 'flashLimit'>;

/** A room on a canvas: model, effects and renderer, and the pace of its pictures. */
export abstract class CanvasView {
  readonly loop = new FrameLoop((now) => this.draw(now));
  /** Runs with each picture, to move other elements. Returns whether they will move again. */
  onFrame: (now: number) => boolean = () => false;
  protected readonly renderer: Renderer;
  protected readonly happenings: LifeEffects;
  protected readonly marks = new MarkList();
  protected view: Size = { width: 1, height: 1 };
  /** Whether something else is shown than the room. */
  protected isAway = false;
  /** Whether the last picture was softened, and so is not done. */
  protected unsettled = false;
  protected readonly interpolation = new Interpolation();
  /** Remove the listeners of the model. */
  protected readonly unsubscribers: (() => void)[];

  /** @throws GlError when this browser has no WebGL2 */
  constructor(
    canvas: HTMLCanvasElement,
    protected readonly model: RoomModel,
    protected readonly resolution: Resolution,
  ) {
    const invalidate = (): void => this.loop.invalidate();
    this.happenings = new LifeEffects(model, invalidate);
    this.renderer = new Renderer(canvas, invalidate);
    const opened = (): void => {
      if (model.planes && !this.isAway) this.renderer.upload(model.planes, []);
      invalidate();
    };
    this.unsubscribers = [
      model.on('opened', opened),
      model.on('picture', ({ changed, replaced }) => {
        if (this.isAway) return;
        const now = performance.now();
        if (changed.length > 0 && model.planes) {
          this.renderer.upload(model.planes, changed);
          this.interpolation.arrived(now);
        }
        this.happenings.arrived(changed, replaced, now);
        invalidate();
      }),
    ];
  }

  /** Stops drawing and removes all listeners. Another view may then use the canvas. */
  dispose(): void {
    this.loop.end();
    for (const off of this.unsubscribers) off();
    this.happenings.dispose();
    this.renderer.dispose();
  }

  abstract get camera(): Camera;

  toScreen(place: Point): Point {
    return worldToScreen(this.camera, this.view, place);
  }

  /** Moves what moves. @returns whether it will move again at the next picture */
  protected abstract move(now: number): boolean;

  /** Frames the next picture, after `move`, and adds marks over those of effects. */
  protected abstract frame(now: number): Framing;

  /** Device pixels per CSS pixel. */
  protected get ratio(): number {
    return this.resolution.ratio(devicePixelRatio);
  }

  /** @returns whether the next picture will differ */
  protected draw(now: number): boolean {
    const { marks, view } = this;
    const moving = this.move(now);
    const share = this.interpolation.share(now);
    marks.clear();
    const happening = !this.isAway && this.happenings.draw(now, marks);
    const { flashLimit = 3 } = this.model.room ?? {};
    const picture = { ...this.frame(now), view, share, marks, flashLimit };
    this.unsettled = this.renderer.draw(picture, this.ratio, now);
    const others = this.onFrame(now);
    const more = moving || happening || share < 1 || others || this.unsettled;
    if (more) this.resolution.frame(now);
    return more;
  }
}
