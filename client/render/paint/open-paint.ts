/** Loads a painter, and what runs it: none of it is fetched before the first picture of a room. */
import { parsePainter } from '../../../shared/painter/net.ts';
import type { ScenePaint } from '../renderer.ts';
import { canPaint } from './paint-passes.ts';
import { RoomPaint } from './scene-paint.ts';

/** Whether a processor draws in place of a GPU: it has no time for paint. */
function isSoftware(gl: WebGL2RenderingContext): boolean {
  const { UNMASKED_RENDERER_WEBGL = gl.RENDERER } =
    gl.getExtension('WEBGL_debug_renderer_info') ?? {};
  const names = [gl.RENDERER, UNMASKED_RENDERER_WEBGL].map((name) => gl.getParameter(name));
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(names.join());
}

/**
 * Loads the painter at an address.
 *
 * @param always whether it paints however long pictures take
 * @returns what begins to paint, where that is possible
 * @throws Error, PainterError: it cannot be loaded
 */
export async function openPaint(
  url: string,
  always: boolean,
): Promise<(gl: WebGL2RenderingContext) => ScenePaint | undefined> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status}`);
  const net = parsePainter(new Uint8Array(await response.arrayBuffer()));
  return (gl) =>
    canPaint(gl) && (always || !isSoftware(gl)) ? new RoomPaint(gl, net, always) : undefined;
}
