/** Loads a painter, and what runs it: none of it is fetched before the first picture of a room. */
import { fetchPainter } from '../../net/fetch-painter.ts';
import { canPaint } from './paint-passes.ts';
import { RoomPaint } from './scene-paint.ts';

/** Whether a processor draws in place of a GPU: it has no time for paint. */
function isSoftware(gl: WebGL2RenderingContext): boolean {
  const { UNMASKED_RENDERER_WEBGL = gl.RENDERER } =
    gl.getExtension('WEBGL_debug_renderer_info') ?? {};
  const names = [gl.RENDERER, UNMASKED_RENDERER_WEBGL].map((name) => gl.getParameter(name));
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(names.join());
}

/** Begins to paint; null where that is not possible. @param always however long pictures take */
type Create = (gl: WebGL2RenderingContext, always: boolean) => RoomPaint | null;

/** Loads the painter at an address. @throws Error, PainterError: it cannot be loaded */
export async function openPaint(url: string, signal: AbortSignal): Promise<Create> {
  const net = await fetchPainter(url, signal);
  return (gl, always) =>
    canPaint(gl) && (always || !isSoftware(gl)) ? new RoomPaint(gl, net, always) : null;
}
