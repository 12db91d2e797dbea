/** Pages whose pictures are not tested: everything runs, but without a GPU no pixel is computed. */
import type { BrowserContext, Page } from 'playwright-core';

/**
 * From now on this page, or the pages of this context, ask for everything that a picture is made of,
 * upload their textures and set their uniforms; only the pixels, which on a machine without a GPU
 * cost a processor more than all the rest, are neither computed nor brought to the screen.
 */
export async function leaveUnpainted<Of extends BrowserContext | Page>(of: Of): Promise<Of> {
  await of.addInitScript(() => {
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
  });
  return of;
}
