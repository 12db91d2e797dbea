/** Connects a renderer to the painter of the room's checkpoint. */

import type { PainterNet } from '../../../shared/painter/net.ts';
import { fetchPainter } from '../../room/fetch-painter.ts';
import type { RoomModel } from '../../room/room-model.ts';
import type { Renderer } from '../renderer.ts';
import { mayPaint, type Network, paintsAlways } from './may-paint.ts';
import { paintFilm } from './paint-film.ts';
import { RoomPaint } from './scene-paint.ts';

/**
 * Time before a failed download of a painter is retried, in ms. Retrying matters on walls, which
 * run for months.
 */
const RETRY = 60_000;

/**
 * Loads the painter of the room's checkpoint, and creates the renderer's `RoomPaint` from it.
 * Creates another `RoomPaint` after a lost context.
 */
export class Painting {
  /** URL of the requested painter. */
  private asked: string | undefined;
  private net: PainterNet | undefined;
  /** Cancels the current download. */
  private loading = new AbortController();
  /** When the download failed, in ms; undefined if it did not fail. */
  private failedAt: number | undefined;

  /** @param done called when there is something new to draw */
  constructor(
    private readonly model: Pick<RoomModel, 'checkpoint'>,
    private readonly renderer: Pick<Renderer, 'gl' | 'paint' | 'planes' | 'until'>,
    private readonly done: () => void,
  ) {}

  /**
   * Loads another painter if the room's checkpoint has changed. Call this with each picture.
   *
   * @param now ms
   */
  update(now: number): void {
    if (this.failedAt !== undefined && now - this.failedAt >= RETRY) this.drop();
    const url = this.model.checkpoint?.painter;
    if (url !== this.asked) {
      this.drop();
      this.asked = url;
      if (url) this.load(url, now);
    } else if (this.net && !this.renderer.paint) this.begin(this.net);
  }

  /** Paints a film, see `paintFilm`; undefined while there is no painter. */
  get film(): ((film: Blob) => Promise<string>) | undefined {
    const { net } = this;
    return net && ((film) => paintFilm(film, net));
  }

  dispose(): void {
    this.drop();
  }

  private load(url: string, now: number): void {
    const { signal } = (this.loading = new AbortController());
    fetchPainter(url, signal).then(
      (net) => {
        if (signal.aborted) return;
        this.net = net;
        this.done();
      },
      // Without a painter, cells are drawn smooth.
      (error: unknown) => {
        if (signal.aborted) return;
        this.failedAt = now;
        console.warn(error);
      },
    );
  }

  private begin(net: PainterNet): void {
    const { renderer } = this;
    const { gl, planes, until } = renderer;
    if (!planes || gl.isContextLost()) return;
    // Check again, because a restored context may use a software renderer.
    if (!mayPaint(gl, navigator as Network, paintsAlways())) {
      this.net = undefined;
      return;
    }
    try {
      renderer.paint = new RoomPaint(gl, net, paintsAlways());
      renderer.paint.changed(planes, [], until);
    } catch (error) {
      // A GPU that cannot run the painter now never can, so do not try again.
      console.warn(error);
      this.net = undefined;
    }
    this.done();
  }

  private drop(): void {
    this.loading.abort();
    this.renderer.paint?.dispose();
    this.renderer.paint = this.net = this.asked = this.failedAt = undefined;
  }
}
