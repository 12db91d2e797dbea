/**
 * Draws organisms large and smooth. Also draws the keepsake picture: a card with an organism and a
 * QR code for planting the organism again.
 */
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
 * Draws the keepsake card as a PNG of 1080×1350 pixels, and stores the link in a comment of the PNG
 * file.
 *
 * @param cells the organism's cells, [side, side]
 * @param words `title`: the first line of text; `lines`: the lines below it, most important first
 * @param link address for the QR code
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
  // Maximum width of a line of text, in pixels. The browser draws wider lines with narrower
  // letters.
  const maxWidth = WIDTH - 2 * MARGIN - CODE - 40;
  to.fillStyle = '#e9efee';
  to.font = `500 62px ${FONTS}`;
  to.fillText(title, textStart, codeTop + 56, maxWidth);
  to.fillStyle = '#a9b5b8';
  to.font = `400 33px ${FONTS}`;
  lines.forEach((line, i) => {
    to.fillText(line, textStart, codeTop + 120 + 50 * i, maxWidth);
  });
  // In a PNG file, a checksum directly follows the text. The line break keeps the checksum from
  // being read as part of the link.
  return withComment(await pngOf(canvas), `${link}\n`);
}

/**
 * Encodes the content of a canvas as a PNG.
 *
 * @throws Error if the browser cannot encode the picture
 */
export const pngOf = (canvas: HTMLCanvasElement): Promise<Blob> =>
  new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/png');
  });

/** Length of a PNG's signature and first chunk, in bytes. */
const PNG_HEAD = 33;

/**
 * Returns a copy of a PNG file with an additional text chunk (https://www.w3.org/TR/png-3/#11tEXt).
 *
 * @param text must consist of Latin-1 characters
 */
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
  // The QR standard requires an empty margin of four modules on each side.
  const module = CODE / (code.size + 8);
  to.fillStyle = '#e9efee';
  to.fillRect(x, y, CODE, CODE);
  to.fillStyle = '#0b0d0f';
  for (let j = 0; j < code.size; j++) {
    for (let i = 0; i < code.size; i++) {
      if (!code.get(i, j)) continue;
      const [left, top] = [x + (i + 4) * module, y + (j + 4) * module];
      // Draw the dark squares slightly too large, so that no seams are visible between them.
      to.fillRect(left, top, module + 0.4, module + 0.4);
    }
  }
}

/**
 * Cell width, in pixels, up to which an organism is painted at half of `LARGEST_SCALE`. Organisms
 * with wider cells are painted at `LARGEST_SCALE`.
 */
const LARGE = 12;
/** Maximum time for which painting blocks the page, in ms. */
const SLICE = 12;

/**
 * Creates a function that draws organisms with a painter (a neural net). If painting fails, the
 * function draws the organism's cells enlarged.
 *
 * @param by `net`: the painter; `genomes`: the latents that the organism's cells read, if known
 * @param signal cancels painting: when it aborts, pending calls reject with its reason
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

/**
 * Range of alpha values (0 to 255) in which an enlarged organism's outline fades smoothly. Smaller
 * values become 0, and larger values become 255.
 */
const EDGE = [70, 150] as const;
/** Side length of the tiny picture that is enlarged to draw an organism's glow, in pixels. */
const GLOW = 20;

/**
 * Creates a canvas and its 2D context, which smooths scaled images.
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
 * Splits an image into `count` square frames, which lie side by side.
 *
 * @returns one canvas per frame, from left to right
 * @throws EncodingError if the blob is not an image
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
 * Draws an organism's cells enlarged and smoothed, but with a sharp outline.
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
 * Returns a picture of an organism that is `size` pixels wide and high.
 *
 * @param cells the organism's cells, [side, side]
 */
export type DrawBody = (cells: HTMLCanvasElement, size: number) => Promise<HTMLCanvasElement>;

/** Enlarges the organism's cells. Used if there is no painter. */
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

/** Draws an organism centred at (x, y), and its glow on the background. */
export function drawSpecimen(to: Context, body: HTMLCanvasElement, x: number, y: number): void {
  const { width } = body;
  // Blur the picture: scale it down here, and up again below. The margin leaves space for the glow.
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

/** Encodes a text as Latin-1. All characters of the text must be below U+0100. */
export const latin1 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Resolves after `delay` ms. Without a delay, only lets the page handle pending events. */
export const wait = (delay = 0): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, delay));

/**
 * Lets the page handle pending events, then resolves.
 *
 * @throws the signal's reason, if the signal has aborted by then
 */
export const yieldUnless = async (signal?: AbortSignal): Promise<void> => {
  await wait();
  signal?.throwIfAborted();
};
