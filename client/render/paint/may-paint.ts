/** Decides whether a page uses a painter, before the page downloads the painter or the code for it. */
import type { RoomModel } from '../../room/room-model.ts';

/** Returns whether to paint every chunk even if frames become slow. Used for taking screenshots. */
export const paintsAlways = (): boolean => location.search.includes('resolution=full');

/**
 * Returns whether the checkpoint has a painter that this page should download. A page with a slow
 * connection should not, unless `always` is set.
 */
export const hasPainter = (
  { checkpoint, quality }: Pick<RoomModel, 'checkpoint' | 'quality'>,
  always: boolean,
): boolean => !!checkpoint?.painter && (always || quality?.tier !== 'thrifty');

/** The browser's network information, if the browser provides any. */
export interface Network {
  readonly connection?: { readonly saveData: boolean };
}

/**
 * Returns whether this browser may use a painter. The browser must support rendering to float
 * textures, which a painter needs; its user must not have asked to save data; and it must draw on a
 * GPU, because software renderers are too slow. `always` lifts only the condition about the GPU.
 */
export function mayPaint(
  gl: Pick<WebGL2RenderingContext, 'RENDERER' | 'getExtension' | 'getParameter'>,
  { connection }: Network,
  always: boolean,
): boolean {
  const { UNMASKED_RENDERER_WEBGL = gl.RENDERER } =
    gl.getExtension('WEBGL_debug_renderer_info') ?? {};
  const floats =
    gl.getExtension('EXT_color_buffer_float') ?? gl.getExtension('EXT_color_buffer_half_float');
  if (!floats || connection?.saveData) return false;
  const name: string = gl.getParameter(UNMASKED_RENDERER_WEBGL);
  return always || !/swiftshader|llvmpipe|soft(pipe|ware)|basic render/i.test(name);
}
