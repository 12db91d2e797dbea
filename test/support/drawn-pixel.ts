/** What the pictures of a room's page show at one place of the window. */
import type { JSHandle, Page } from 'playwright-core';
import type { PageElement } from './page.ts';

interface DrawnPixel {
  /** CSS pixels. */
  readonly x: number;
  readonly y: number;
  /** Light of that pixel in each picture, and the tick that the page was at. */
  readonly seen: { readonly light: number; readonly tick: number | undefined }[];
}

interface Probed {
  probe?: DrawnPixel;
}

/** Has this page, once it is loaded again, look at each of its pictures for `watchPixel`. */
export const recordPictures = (page: Page): Promise<unknown> =>
  // What a picture shows is known only while it is drawn.
  page.addInitScript(() => {
    const show = WebGL2RenderingContext.prototype.blitFramebuffer;
    WebGL2RenderingContext.prototype.blitFramebuffer = function (...rest) {
      show.apply(this, rest);
      const { probe } = window as Probed;
      if (!probe || this.getParameter(this.DRAW_FRAMEBUFFER_BINDING)) return;
      this.bindFramebuffer(this.READ_FRAMEBUFFER, null);
      const pixel = new Uint8Array(4);
      // A slow page draws fewer pixels.
      const canvas = this.canvas as HTMLCanvasElement;
      const ratio = canvas.width / canvas.clientWidth;
      const [px, py] = [probe.x * ratio, canvas.height - probe.y * ratio].map(Math.round);
      this.readPixels(px, py, 1, 1, this.RGBA, this.UNSIGNED_BYTE, pixel);
      const { model } = document.querySelector('vivarium-room') as unknown as PageElement;
      probe.seen.push({ light: pixel[0] + pixel[1] + pixel[2], tick: model.tick });
    };
  });

/** From now on each picture tells what it shows at a place of the window, CSS pixels. */
export const watchPixel = (
  page: Page,
  at: { readonly x: number; readonly y: number },
): Promise<JSHandle<DrawnPixel>> =>
  page.evaluateHandle(({ x, y }) => {
    const probe: DrawnPixel = { x, y, seen: [] };
    (window as Probed).probe = probe;
    return probe;
  }, at);
