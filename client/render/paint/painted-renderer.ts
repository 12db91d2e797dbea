/** A renderer whose cells are painted, once the painter of their checkpoint has come. */
import type { Planes } from '../../../shared/codec/planes.ts';
import type { Rect } from '../../../shared/geometry.ts';
import type { Arrival } from '../cell-textures.ts';
import { type PaintOptions, type Picture, Renderer } from '../renderer.ts';
import type { RoomPaint } from './scene-paint.ts';

/** Time after which a painter that could not be loaded is asked for again, ms. */
const RETRY = 60_000;

/** Paints over the cells of a room as soon as `openPaint` has loaded a painter. */
export class PaintedRenderer extends Renderer {
  /** Lost with the context. */
  private paint: RoomPaint | null | undefined;
  /** Whether the last picture was one that can be painted. */
  private isSmooth = true;
  /** The address of the painter that has been asked for. */
  private asked: string | undefined;
  /** When it is asked for again, ms. */
  private retryAt = Number.POSITIVE_INFINITY;
  /** Ends what loads. */
  private loading: AbortController | undefined;

  override get isBusy(): boolean {
    return this.isSmooth && (this.paint?.isBusy ?? false);
  }

  override get moves(): boolean {
    return this.isSmooth && (this.paint?.moves ?? false);
  }

  override openPaint(url: string | undefined, { always, now, done }: PaintOptions): void {
    // Views ask with each picture.
    if (!this.planes || (url === this.asked && now < this.retryAt)) return;
    this.closePaint();
    this.asked = url;
    if (!url) return;
    const { signal } = (this.loading = new AbortController());
    import('./open-paint.ts')
      .then(({ openPaint }) => openPaint(url, signal))
      .then(
        (create) => {
          if (signal.aborted || !this.planes || this.gl.isContextLost()) return;
          this.paint = create(this.gl, always);
          this.paint?.changed(this.planes, [], this.until);
          done();
        },
        () => {
          if (!signal.aborted) this.retryAt = now + RETRY;
        },
      )
      // A GPU that cannot run it now never can.
      .catch(() => undefined);
  }

  private closePaint(): void {
    this.loading?.abort();
    this.paint?.dispose();
    this.loading = this.paint = this.asked = undefined;
    this.retryAt = Number.POSITIVE_INFINITY;
  }

  override dispose(): void {
    this.closePaint();
    super.dispose();
  }

  override upload(planes: Planes, changed: readonly Rect[], arrival: Arrival): void {
    super.upload(planes, changed, arrival);
    this.paint?.changed(planes, changed, this.until);
  }

  override draw(picture: Picture, ratio: number, now: number): boolean {
    const { paint, programs } = this;
    const width = Math.max(1, Math.round(picture.view.width * ratio));
    const height = Math.max(1, Math.round(picture.view.height * ratio));
    const { x, y, zoom } = picture.camera;
    const scale = picture.view.width / width / zoom;
    const [originX, originY] = [x - (width / 2) * scale, y - (height / 2) * scale];
    this.isSmooth = !picture.crisp;
    if (!paint || picture.crisp || !this.field || this.gl.isContextLost())
      return super.draw(picture, ratio, now);
    this.field.blend(now);
    const view = { width, height, scale, pixel: 1 / zoom, originX, originY };
    const scene = paint.begin(this.field.textures, view, now);
    if (scene) this.programs = { ...programs, scene };
    const isSoft = super.draw(picture, ratio, now);
    this.programs = programs;
    return isSoft;
  }

  protected override create(): void {
    this.closePaint();
    super.create();
  }
}
