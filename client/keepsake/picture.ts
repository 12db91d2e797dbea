/** The keepsake picture of an organism: a card with a QR code that plants it again. */
import { generate } from 'lean-qr';
import { type Context, canvasOf, drawGround, drawSpecimen, enlarged } from './specimen.ts';

const WIDTH = 1_080;
const HEIGHT = 1_350;
const MARGIN = 84;
/** Width and height of the QR code, pixels. */
const CODE = 264;
const FONTS =
  '"Avenir Next", Avenir, "Segoe UI", Seravek, Cantarell, Ubuntu, Roboto, "Noto Sans", sans-serif';

/** The texts on the card. */
export interface PictureWords {
  readonly title: string;
  /** Lines below the title, the most important first. */
  readonly lines: readonly string[];
}

/**
 * Draws the card as a PNG of 1080×1350 pixels.
 *
 * @param cells the organism's cells [side, side]
 * @param link the address in the QR code
 * @throws Error when the browser cannot encode the picture
 */
export function specimenCard(
  cells: HTMLCanvasElement,
  { title, lines }: PictureWords,
  link: string,
): Promise<Blob> {
  const { canvas, to } = canvasOf(WIDTH, HEIGHT);
  drawGround(to, WIDTH / 2, 500);
  drawSpecimen(to, enlarged(cells, 800), WIDTH / 2, 510);
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
  // Each line is condensed to fit.
  const maxWidth = WIDTH - 2 * MARGIN - CODE - 40;
  to.fillStyle = '#e9efee';
  to.font = `500 62px ${FONTS}`;
  to.fillText(title, textStart, codeTop + 56, maxWidth);
  to.fillStyle = '#a9b5b8';
  to.font = `400 33px ${FONTS}`;
  lines.forEach((line, i) => {
    to.fillText(line, textStart, codeTop + 120 + 50 * i, maxWidth);
  });
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/png');
  });
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
