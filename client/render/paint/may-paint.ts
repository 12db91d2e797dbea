/**
 * Decides whether a page uses a painter. This is decided before the page downloads the painter and
 * the code that runs it, so this file does not import that code.
 */
import type { RoomModel } from '../../room/room-model.ts';

/**
 * Returns whether the page must paint every chunk, even if this makes frames slow. Used for taking
 * screenshots.
 */
export const paintsAlways = (): boolean => location.search.includes('resolution=full');

/**
 * Returns whether the checkpoint has a painter, and this page should download it. A page that
 * receives the lowest level of detail (tier 'thrifty'), because of its slow connection, should not
 * download the painter, unless `always` is set.
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
 * Returns whether this browser may use a painter. Three conditions: the browser can render to float
 * textures, which a painter needs; the user has not asked the browser to save data; and the browser
 * draws on a GPU, because software renderers are too slow. If `always` is set, only the first two
 * conditions count.
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
