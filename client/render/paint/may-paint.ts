/** Whether a page paints: known before any of what paints is fetched. */
import type { RoomModel } from '../../room/room-model.ts';

/** Whether the page paints everything that is due, however long it takes: for screenshots. */
export const paintsAlways = (): boolean => location.search.includes('resolution=full');

/** Whether there is a painter, and a connection that is good enough to fetch it. */
export const hasPainter = (
  { checkpoint, quality }: Pick<RoomModel, 'checkpoint' | 'quality'>,
  always: boolean,
): boolean => !!checkpoint?.painter && (always || quality?.tier !== 'thrifty');

/** The browser's network information, if it has any. */
export interface Network {
  readonly connection?: { readonly saveData: boolean };
}

/**
 * Whether its user does not save data, and this browser draws the floats that a painter needs, and
 * not on a processor in place of a GPU: that has no time for paint.
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
