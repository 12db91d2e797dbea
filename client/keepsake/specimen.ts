/** An organism's few cells as a large smooth picture, on the ground of the dish. */

export type Context = CanvasRenderingContext2D;

/** Where between two cells a body's edge lies: alpha from here … to there. */
const EDGE = [70, 150] as const;
/** Pixels a side to which light is blurred. */
const GLOW = 20;

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

/** The pictures of a strip of squares. @throws when it is no picture */
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

/** @param side of the picture that comes of it, pixels */
export function enlarged(cells: HTMLCanvasElement, side: number): HTMLCanvasElement {
  const { canvas, to } = canvasOf(side, side);
  to.drawImage(cells, 0, 0, side, side);
  const image = to.getImageData(0, 0, side, side);
  const { data } = image;
  for (let i = 3; i < data.length; i += 4) {
    const t = Math.max(0, Math.min(1, (data[i] - EDGE[0]) / (EDGE[1] - EDGE[0])));
    data[i] = 255 * t * t * (3 - 2 * t);
  }
  to.putImageData(image, 0, 0);
  return canvas;
}

/** The ground of the dish, lit from its middle. */
export function drawGround(to: Context, width: number, height: number, x: number, y: number): void {
  const light = to.createRadialGradient(x, y, 0, x, y, Math.hypot(width, height) * 0.62);
  light.addColorStop(0, '#2a3032');
  light.addColorStop(0.55, '#191e20');
  light.addColorStop(1, '#0b0d0f');
  to.fillStyle = light;
  to.fillRect(0, 0, width, height);
}

/** A body with the glow that it throws on the ground. */
export function drawSpecimen(to: Context, body: HTMLCanvasElement, x: number, y: number): void {
  const { width } = body;
  // Light is blurred by being made small; it needs room around to fade out in.
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
