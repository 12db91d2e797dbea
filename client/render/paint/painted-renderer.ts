/** A renderer whose cells are painted, once the painter of their checkpoint has come. */
import type { Planes } from '../../../shared/codec/planes.ts';
import type { Rect } from '../../../shared/geometry.ts';
import type { Arrival } from '../cell-textures.ts';
import { type Picture, Renderer } from '../renderer.ts';
import type { RoomPaint } from './scene-paint.ts';

/** Paints over the cells of a room as soon as `openPaint` has loaded a painter. */
export class PaintedRenderer extends Renderer {
  /** Lost with the context; null: it has been asked for. */
  private paint: RoomPaint | null | undefined;
  private isDisposed = false;

  /** Whether the last picture took longer because of paint. */
  get isBusy(): boolean {
    return this.paint?.isBusy ?? false;
  }

  /** Whether the next picture will differ because of paint. */
  get moves(): boolean {
    return this.paint?.moves ?? false;
  }

  /**
   * Loads a painter, unless that has been done. Where it cannot be loaded or run, cells look as they
   * do without it.
   *
   * @param always whether it paints however long pictures take
   * @param done called when there is something new to draw
   */
  openPaint(url: string, always: boolean, done: () => void): void {
    if (this.paint !== undefined) return;
    this.paint = null;
    import('./open-paint.ts')
      .then(({ openPaint }) => openPaint(url))
      .then((create) => {
        if (this.isDisposed || !this.planes || this.gl.isContextLost()) return;
        this.paint = create(this.gl, always);
        this.paint?.changed(this.planes, [], this.until);
        done();
      })
      .catch(() => undefined);
  }

  override dispose(): void {
    this.isDisposed = true;
    this.paint?.dispose();
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
    if (!paint || !this.field || this.gl.isContextLost()) return super.draw(picture, ratio, now);
    this.field.blend(now);
    const view = { width, height, scale, pixel: 1 / zoom, originX, originY };
    const scene = paint.begin(this.field.textures, view, now);
    if (scene) this.programs = { ...programs, scene };
    const isSoft = super.draw(picture, ratio, now);
    this.programs = programs;
    return isSoft;
  }

  protected override create(): void {
    this.paint = undefined;
    super.create();
  }
}
