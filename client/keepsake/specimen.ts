/** Draws an organism's few cells as a large, smooth picture with a background and a glow. */
import { smoothstep } from '../../shared/smoothstep.ts';

export type Context = CanvasRenderingContext2D;

/** Alpha range (0 to 255) in which the body's edge fades from transparent to opaque. */
const EDGE = [70, 150] as const;
/** Width and height to which the body is reduced to blur its glow, in pixels. */
const GLOW = 20;

/**
 * Creates a canvas with a smoothing 2D context.
 *
 * @throws Error if the browser provides no 2D context
 */
export function canvasOf(
  width: number,
  height: number,
): { canvas: HTMLCanvasElement; to: Context } {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const to = canvas.getContext('2d', { willReadFrequently: true });
  if (!to) throw new Error('no canvas');
  to.imageSmoothingEnabled = true;
  to.imageSmoothingQuality = 'high';
  return { canvas, to };
}

/**
 * Splits a horizontal strip of square frames into canvases.
 *
 * @throws EncodingError if the blob is not a picture
 */
export async function framesOf(strip: Blob, count: number): Promise<HTMLCanvasElement[]> {
  const url = URL.createObjectURL(strip);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const side = image.naturalHeight;
    return Array.from({ length: count }, (_, i) => {
      const { canvas, to } = canvasOf(side, side);
      to.drawImage(image, i * side, 0, side, side, 0, 0, side, side);
      return canvas;
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * Enlarges the cells smoothly, then sharpens the edge of the body.
 *
 * @param side width and height of the result, in pixels
 */
export function enlarged(cells: HTMLCanvasElement, side: number): HTMLCanvasElement {
  const { canvas, to } = canvasOf(side, side);
  to.drawImage(cells, 0, 0, side, side);
  const image = to.getImageData(0, 0, side, side);
  const { data } = image;
  for (let i = 3; i < data.length; i += 4) {
    data[i] = 255 * smoothstep(...EDGE, data[i]);
  }
  to.putImageData(image, 0, 0);
  return canvas;
}

/**
 * Draws the body that the cells form, `size` pixels wide and high.
 *
 * @param cells [side, side]
 */
export type DrawBody = (cells: HTMLCanvasElement, size: number) => Promise<HTMLCanvasElement>;

/** Draws bodies enlarged; used if there is no painter. */
export const enlargedBody: DrawBody = async (cells, size) => enlarged(cells, size);

/** Fills the background with a radial gradient around (x, y). */
export function drawGround(to: Context, x: number, y: number): void {
  const { width, height } = to.canvas;
  const light = to.createRadialGradient(x, y, 0, x, y, Math.hypot(width, height) * 0.62);
  light.addColorStop(0, '#2a3032');
  light.addColorStop(0.55, '#191e20');
  light.addColorStop(1, '#0b0d0f');
  to.fillStyle = light;
  to.fillRect(0, 0, width, height);
}

/** Draws a body, centred at (x, y), and its glow on the background. */
export function drawSpecimen(to: Context, body: HTMLCanvasElement, x: number, y: number): void {
  const { width } = body;
  // Scaling down and up again blurs the glow; the margin lets it fade out.
  const soft = canvasOf(GLOW, GLOW);
  soft.to.drawImage(body, GLOW / 4, GLOW / 4, GLOW / 2, GLOW / 2);
  to.save();
  to.globalAlpha = 0.34;
  to.globalCompositeOperation = 'lighter';
  const halo = 2.3 * width;
  to.drawImage(soft.canvas, x - halo / 2, y - halo / 2, halo, halo);
  to.restore();
  to.drawImage(body, x - width / 2, y - width / 2);
}
