/** Decides whether a page paints cells, before it fetches a painter or the code for it. */
import type { RoomModel } from '../../room/room-model.ts';

/** Returns whether to paint everything that is due, even if it takes long, as screenshots need. */
export const paintsAlways = (): boolean => location.search.includes('resolution=full');

/** Returns whether the checkpoint has a painter and the connection is good enough to fetch it. */
export const hasPainter = (
  { checkpoint, quality }: Pick<RoomModel, 'checkpoint' | 'quality'>,
  always: boolean,
): boolean => !!checkpoint?.painter && (always || quality?.tier !== 'thrifty');

/** The browser's network information, if it has any. */
export interface Network {
  readonly connection?: { readonly saveData: boolean };
}

/**
 * Returns whether this browser may paint cells. It must be able to render to the float textures
 * that a painter needs, and its user must not have asked to save data. It must also draw on a GPU,
 * because a software renderer is too slow for painting; `always` lifts this last condition.
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
