/** Draws organisms large and smooth, and the keepsake picture: a card with a QR code that plants the
 * organism again. */
import { generate } from 'lean-qr';
import { inSlices, LARGEST_SCALE, paintStill, type Still } from '../../shared/painter/still.ts';
import { smoothstep } from '../../shared/smoothstep.ts';
import { FONTS } from '../style/fragments.ts';

const WIDTH = 1_080;
const HEIGHT = 1_350;
const MARGIN = 84;
/** Width and height of the QR code, in pixels. */
const CODE = 264;

/**
 * Draws the card as a PNG of 1080×1350 pixels, with its link as a comment.
 *
 * @param cells the organism's cells [side, side]
 * @param words a title, and lines below it, most important first
 * @param link the address in the QR code
 * @throws Error if the browser cannot encode the picture
 */
export async function specimenCard(
  cells: HTMLCanvasElement,
  { title, lines }: { readonly title: string; readonly lines: readonly string[] },
  link: string,
  drawBody: DrawBody,
): Promise<Blob> {
  const { canvas, to } = canvasOf(WIDTH, HEIGHT);
  drawGround(to, WIDTH / 2, 500);
  drawSpecimen(to, await drawBody(cells, 800), WIDTH / 2, 510);
  const isRtl = document.dir === 'rtl';
  const codeLeft = isRtl ? MARGIN : WIDTH - MARGIN - CODE;
  const textStart = isRtl ? WIDTH - MARGIN : MARGIN;
  const codeTop = HEIGHT - MARGIN - CODE;
  to.strokeStyle = 'rgba(220, 238, 240, 0.16)';
  to.lineWidth = 2;
  to.beginPath();
  to.moveTo(MARGIN, codeTop - 42);
  to.lineTo(WIDTH - MARGIN, codeTop - 42);
  to.stroke();
  drawCode(to, link, codeLeft, codeTop);
  to.textBaseline = 'alphabetic';
  to.direction = isRtl ? 'rtl' : 'ltr';
  // Condense lines that are longer than this width.
  const maxWidth = WIDTH - 2 * MARGIN - CODE - 40;
  to.fillStyle = '#e9efee';
  to.font = `500 62px ${FONTS}`;
  to.fillText(title, textStart, codeTop + 56, maxWidth);
  to.fillStyle = '#a9b5b8';
  to.font = `400 33px ${FONTS}`;
  lines.forEach((line, i) => {
    to.fillText(line, textStart, codeTop + 120 + 50 * i, maxWidth);
  });
  // End the link with a line break, because otherwise the checksum after it could be read as part
  // of the link.
  return withComment(await pngOf(canvas), `${link}\n`);
}

/** Encodes a canvas as a PNG. @throws Error if the browser cannot encode it */
export const pngOf = (canvas: HTMLCanvasElement): Promise<Blob> =>
  new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/png');
  });

/** Number of bytes of a PNG's signature and its first chunk. */
const PNG_HEAD = 33;

/** Adds a text chunk to a PNG (https://www.w3.org/TR/png-3/#11tEXt). @param text Latin-1 */
function withComment(png: Blob, text: string): Blob {
  const chunk = latin1(`tEXtComment\0${text}`);
  const framed = new DataView(new ArrayBuffer(chunk.length + 8));
  framed.setUint32(0, chunk.length - 4);
  new Uint8Array(framed.buffer).set(chunk, 4);
  framed.setUint32(chunk.length + 4, crc32(chunk));
  return new Blob([png.slice(0, PNG_HEAD), framed, png.slice(PNG_HEAD)], { type: png.type });
}

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

function drawCode(to: Context, link: string, x: number, y: number): void {
  const code = generate(link);
  // The QR standard requires a quiet zone of four modules on each side.
  const module = CODE / (code.size + 8);
  to.fillStyle = '#e9efee';
  to.fillRect(x, y, CODE, CODE);
  to.fillStyle = '#0b0d0f';
  for (let j = 0; j < code.size; j++) {
    for (let i = 0; i < code.size; i++) {
      if (!code.get(i, j)) continue;
      const [left, top] = [x + (i + 4) * module, y + (j + 4) * module];
      // The overlap hides seams between the modules.
      to.fillRect(left, top, module + 0.4, module + 0.4);
    }
  }
}

/**
 * Number of pixels per cell above which a body is painted with the largest scale; smaller bodies
 * are painted with half of this scale.
 */
const LARGE = 12;
/** Maximum time for which painting blocks the page, in ms. */
const SLICE = 12;

/**
 * Creates a function that draws bodies with a painter. A body that cannot be painted is only
 * enlarged.
 *
 * @param by.genomes the genomes of the bodies, if known
 * @param signal cancels painting: pending bodies reject with its reason
 */
export const paintedBody =
  (by: Pick<Still, 'net' | 'genomes'>, signal?: AbortSignal): DrawBody =>
  (cells, size) =>
    paintBody(by, cells, size, signal).catch(() => {
      signal?.throwIfAborted();
      return enlargedBody(cells, size);
    });

async function paintBody(
  by: Pick<Still, 'net' | 'genomes'>,
  cells: HTMLCanvasElement,
  size: number,
  signal?: AbortSignal,
): Promise<HTMLCanvasElement> {
  const side = cells.width;
  const { data } = cells.getContext('2d')!.getImageData(0, 0, side, side);
  const scale = size / side > LARGE ? LARGEST_SCALE : LARGEST_SCALE / 2;
  const pixels = await inSlices(paintStill({ ...by, cells: data, side, scale }), {
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

export type Context = CanvasRenderingContext2D;

/** Alpha range (0 to 255) in which the body's edge fades from transparent to opaque. */
const EDGE = [70, 150] as const;
/** Width and height of the reduced body from which its glow is drawn, in pixels. */
const GLOW = 20;

/**
 * Creates a canvas with a smoothing 2D context.
 *
 * @throws Error if the browser provides no 2D context
 */
export function canvasOf(width: number, height: number) {
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

/** Encodes a text as Latin-1, as file formats require. All characters must be below U+0100. */
export const latin1 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));

/**
 * Resolves after a delay, in ms. Without a delay, it yields to the event loop, because encoding
 * takes long on a phone and must not freeze the page.
 */
export const wait = (delay = 0): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, delay));

/** Yields to the event loop. @throws the signal's reason once the work is no longer needed */
export const yieldUnless = async (signal?: AbortSignal): Promise<void> => {
  await wait();
  signal?.throwIfAborted();
};
