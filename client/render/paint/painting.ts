/** Gives a renderer the paint of its room's checkpoint. */

import type { PainterNet } from '../../../shared/painter/net.ts';
import { fetchPainter } from '../../net/fetch-painter.ts';
import type { RoomModel } from '../../net/room-model.ts';
import type { Renderer } from '../renderer.ts';
import { paintsAlways } from './may-paint.ts';
import { RoomPaint } from './scene-paint.ts';

/** Loads painters, and makes paint of them, anew after a lost context. */
export class Painting {
  /** The address of the painter that has been asked for. */
  private asked: string | undefined;
  private net: PainterNet | undefined;
  /** Ends what loads. */
  private loading = new AbortController();
  /** Whether it could not be loaded. */
  private hasFailed = false;
  /** Removes its listener. */
  private readonly off: () => void;

  /** @param done called when there is something new to draw */
  constructor(
    private readonly model: Pick<RoomModel, 'checkpoint' | 'on'>,
    private readonly renderer: Pick<Renderer, 'gl' | 'paint' | 'planes' | 'until'>,
    private readonly done: () => void,
  ) {
    // Whatever has kept a painter from coming may have interrupted the connection as well.
    this.off = model.on('opened', () => {
      if (this.hasFailed) this.drop();
    });
  }

  /** Follows the room to another checkpoint. To be called with each picture. */
  update(): void {
    const url = this.model.checkpoint?.painter;
    if (url !== this.asked) {
      this.drop();
      this.asked = url;
      if (url) this.load(url);
    } else if (this.net && !this.renderer.paint) this.begin(this.net);
  }

  dispose(): void {
    this.off();
    this.drop();
  }

  private load(url: string): void {
    const { signal } = (this.loading = new AbortController());
    fetchPainter(url, signal).then(
      (net) => {
        if (signal.aborted) return;
        this.net = net;
        this.done();
      },
      // Cells look as they do without.
      (error: unknown) => {
        if (signal.aborted) return;
        this.hasFailed = true;
        console.warn(error);
      },
    );
  }

  private begin(net: PainterNet): void {
    const { renderer } = this;
    const { gl, planes, until } = renderer;
    if (!planes || gl.isContextLost()) return;
    try {
      renderer.paint = new RoomPaint(gl, net, paintsAlways());
      renderer.paint.changed(planes, [], until);
    } catch (error) {
      // A GPU that cannot run it now never can.
      console.warn(error);
      this.net = undefined;
    }
    this.done();
  }

  private drop(): void {
    this.loading.abort();
    this.renderer.paint?.dispose();
    this.renderer.paint = this.net = this.asked = undefined;
    this.hasFailed = false;
  }
}
