/**
 * Decides whether a page downloads and uses a painter (a neural network that draws cells in
 * detail). Does not import the painter's code.
 */
import type { RoomModel } from '../../room/room-model.ts';

/**
 * Returns whether the page must paint every chunk even if frames become slow. Used for screenshots.
 */
export const paintsAlways = (): boolean => location.search.includes('resolution=full');

/**
 * Returns whether this page should download the checkpoint's painter. On a slow connection (tier
 * 'thrifty'), it should do so only if `always` is true.
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
 * Returns whether this browser may use a painter. The browser must support rendering to float
 * textures, must not be set to save data, and must draw on a GPU.
 *
 * @param always whether to accept software renderers, which are slow
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
