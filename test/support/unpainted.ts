/** Pages whose pictures are not tested: everything runs, but without a GPU no pixel is computed. */
import type { BrowserContext, Page } from 'playwright-core';

/**
 * From now on this page, or the pages of this context, ask for everything that a picture is made of,
 * upload their textures and set their uniforms; only the pixels, which on a machine without a GPU
 * cost a processor more than all the rest, are neither computed nor brought to the screen.
 */
export async function leaveUnpainted<Of extends BrowserContext | Page>(of: Of): Promise<Of> {
  await of.addInitScript((wish) => {
    try {
      if (localStorage.getItem(wish)) return;
    } catch {
      // An empty page has none.
    }
    for (const { prototype } of [WebGL2RenderingContext, WebGLRenderingContext]) {
      Object.assign(prototype, {
        // Methods: benchmarks' transpiler wraps functions that are variables in one of its own.
        drawArrays() {},
        drawArraysInstanced() {},
        drawElements() {},
        drawElementsInstanced() {},
        // A canvas that has been touched is copied for the browser's own painting, picture by picture.
        blitFramebuffer() {},
        clear() {},
      });
    }
  }, WISH);
  return of;
}

/** What an origin keeps whose pages are painted after all. */
const WISH = 'test:painted';

/** Has a page, once it is loaded again, and later ones of its origin paint, or not any more. */
export const paintNext = (page: Page, isPainted: boolean): Promise<void> =>
  page.evaluate(
    ([wish, value]) => (value ? localStorage.setItem(wish, value) : localStorage.removeItem(wish)),
    [WISH, isPainted ? 'yes' : ''],
  );

/** What a new context keeps so that its pages of an origin are painted. */
export const paintedOrigin = (origin: string) => ({
  cookies: [],
  origins: [{ origin, localStorage: [{ name: WISH, value: 'yes' }] }],
});
