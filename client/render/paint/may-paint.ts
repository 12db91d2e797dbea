/**
 * Decides whether a page uses a painter. Does not import the painter's code, because the page
 * downloads this code only after the decision.
 */
import type { RoomModel } from '../../room/room-model.ts';

/**
 * Returns whether the page must paint every chunk even if frames become slow. Used for screenshots.
 */
export const paintsAlways = (): boolean => location.search.includes('resolution=full');

/**
 * Returns whether this page should download the checkpoint's painter. Unless `always` is set, pages
 * with a slow connection (tier 'thrifty') should not.
 */
export const hasPainter = (
  { checkpoint, quality }: Pick<RoomModel, 'checkpoint' | 'quality'>,
  always: boolean,
): boolean => !!checkpoint?.painter && (always || quality?.tier !== 'thrifty');

/** The network information of `navigator`, which only some browsers provide. */
export interface Network {
  readonly connection?: { readonly saveData: boolean };
}

/**
 * Returns whether this browser may use a painter: it can render to float textures, the user has not
 * asked it to save data, and it draws on a GPU (software renderers are too slow).
 *
 * @param always whether software renderers may be used too
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
