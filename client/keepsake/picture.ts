/** The keepsake picture of an organism: a card with a QR code that plants the organism again. */
import { generate } from 'lean-qr';
import { inSlices, LARGEST_SCALE, paintStill, type Still } from '../../shared/painter/still.ts';
import { FONTS } from '../style/fragments.ts';
import { latin1, yieldUnless } from './film.ts';
import {
  type Context,
  canvasOf,
  type DrawBody,
  drawGround,
  drawSpecimen,
  enlargedBody,
} from './specimen.ts';

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
  const png = await new Promise<Blob>((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/png');
  });
  // End the link with a line break, because otherwise the checksum after it could be read as part
  // of the link.
  return withComment(png, `${link}\n`);
}

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
