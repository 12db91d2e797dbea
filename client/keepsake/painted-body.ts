/** Draws bodies for pictures with the painter of their checkpoint. */
import type { PainterNet } from '../../shared/painter/net.ts';
import { inSlices, LARGEST_SCALE, paintStill } from '../../shared/painter/still.ts';
import { yieldUnless } from './film.ts';
import { canvasOf, type DrawBody, enlargedBody } from './specimen.ts';

/** Pixels a cell from which it is painted with the largest scale, and else with half of it. */
const LARGE = 12;
/** Longest time in which the page does nothing else, ms. */
const SLICE = 12;

/**
 * Draws bodies painted; one that cannot be is enlarged.
 *
 * @param signal ends it: then bodies reject with its reason
 */
export const paintedBody =
  (net: PainterNet, signal?: AbortSignal): DrawBody =>
  (cells, size) =>
    paintBody(net, cells, size, signal).catch(() => {
      signal?.throwIfAborted();
      return enlargedBody(cells, size);
    });

async function paintBody(
  net: PainterNet,
  cells: HTMLCanvasElement,
  size: number,
  signal?: AbortSignal,
): Promise<HTMLCanvasElement> {
  const side = cells.width;
  const { data } = cells.getContext('2d')!.getImageData(0, 0, side, side);
  const scale = size / side > LARGE ? LARGEST_SCALE : LARGEST_SCALE / 2;
  const pixels = await inSlices(paintStill({ cells: data, side, net, scale }), {
    slice: SLICE,
    now: () => performance.now(),
    pause: () => yieldUnless(signal),
  });
  const painted = canvasOf(side * scale, side * scale);
  painted.to.putImageData(new ImageData(pixels, side * scale), 0, 0);
  const { canvas, to } = canvasOf(size, size);
  to.drawImage(painted.canvas, 0, 0, size, size);
  return canvas;
}
