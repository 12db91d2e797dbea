/** Pages whose pictures are not tested: everything runs, but without a GPU no pixel is computed. */
import type { BrowserContext } from 'playwright-core';

/**
 * From now on the pages of this context ask for everything that a picture is made of, upload their
 * textures and set their uniforms; only the pixels, which on a machine without a GPU cost a
 * processor more than all the rest, are not drawn.
 */
export async function leaveUnpainted(context: BrowserContext): Promise<BrowserContext> {
  await context.addInitScript(() => {
    for (const { prototype } of [WebGL2RenderingContext, WebGLRenderingContext]) {
      Object.assign(prototype, {
        // Methods: benchmarks' transpiler wraps functions that are variables in one of its own.
        drawArrays() {},
        drawArraysInstanced() {},
        drawElements() {},
        drawElementsInstanced() {},
      });
    }
  });
  return context;
}
