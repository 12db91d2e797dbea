/** The picture of a family tree to print: A3 at 294 dots per inch. */
import { msg } from '@lit/localize';
import type { LineagePage } from '../../shared/lineage.ts';
import { TreeCamera } from '../family-tree/camera.ts';
import { layoutTree } from '../family-tree/layout.ts';
import { PAPER_INK, paintTree } from '../family-tree/paint.ts';
import type { TreePictures } from '../family-tree/pictures.ts';
import { namesOf, sizeText } from '../family-tree/tree-text.ts';
import { canvasOf } from '../keepsake/specimen.ts';
import { formats } from '../locale/locale.ts';
import { FONTS } from '../style/fragments.ts';
import { paintLegend } from './legend.ts';

/** Width and height of the picture, in px. Phones limit a canvas to 2^24 pixels. */
const WIDTH = 4_860;
const HEIGHT = 3_437;
const MARGIN = 170;
const HEAD = 540;
const FOOT = 250;
/**
 * Maximum wait for pictures, in ms. Organisms whose picture is still missing are printed as seeds.
 */
const LONGEST = 30_000;
/** Size of the smallest text, in px; 8 points on paper. */
const TEXT = 33;

export interface Printed {
  readonly room: string;
  /** Whether time runs from right to left. */
  readonly isMirrored: boolean;
  /**
   * The page's pictures. The print reuses them, because a visitor may request only a few at a time.
   */
  readonly pictures: TreePictures;
}

/**
 * Draws the whole tree and lets the browser save it as a PNG.
 *
 * @throws Error if the browser cannot encode the picture, or the tree was closed while pictures
 *   loaded
 */
export async function savePrint(page: LineagePage, of: Printed): Promise<void> {
  await of.pictures.all(page.organisms, LONGEST);
  if (of.pictures.isClosed) throw new Error('the tree was closed');
  save(await printOf(page, of), `vivarium-${of.room}.png`);
}

/** @throws Error if the browser cannot encode the picture */
async function printOf(page: LineagePage, of: Printed): Promise<Blob> {
  const { canvas, to } = canvasOf(WIDTH, HEIGHT);
  const size = { width: WIDTH, height: HEIGHT };
  const forward = of.isMirrored ? -1 : 1;
  const layout = layoutTree(page, (WIDTH - 2 * MARGIN) / (HEIGHT - HEAD - FOOT));
  const camera = new TreeCamera(layout, forward);
  camera.closest = 840;
  camera.resize(size, { top: HEAD, bottom: FOOT, side: MARGIN });
  to.fillStyle = PAPER_INK.ground;
  to.fillRect(0, 0, WIDTH, HEIGHT);
  paintTree(to, {
    ...{ layout, camera, size, pictures: of.pictures, ink: PAPER_INK, textSize: TEXT },
    ...{ names: namesOf, until: layout.width },
  });
  paintHead(to, page, of.room, forward);
  const generations = Math.max(...layout.nodes.map(({ generation }) => generation));
  const start = forward > 0 ? MARGIN : WIDTH - MARGIN;
  const y = HEIGHT - MARGIN + 20;
  paintLegend(to, { camera, ink: PAPER_INK, textSize: 1.2 * TEXT }, start, y);
  to.textAlign = 'end';
  to.fillText(`${sizeText(page, generations)} · Vivarium`, WIDTH - start, y);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/png');
  });
}

function paintHead(
  to: CanvasRenderingContext2D,
  { now }: LineagePage,
  room: string,
  forward: 1 | -1,
): void {
  const start = forward > 0 ? MARGIN : WIDTH - MARGIN;
  to.direction = forward > 0 ? 'ltr' : 'rtl';
  to.textBaseline = 'alphabetic';
  to.textAlign = 'start';
  to.fillStyle = PAPER_INK.ink;
  to.font = `500 ${4.4 * TEXT}px ${FONTS}`;
  to.fillText(msg('Family tree'), start, MARGIN + 105);
  to.fillStyle = PAPER_INK.soft;
  to.font = `400 ${1.7 * TEXT}px ${FONTS}`;
  const date = new Intl.DateTimeFormat(formats(), { dateStyle: 'full' }).format(new Date(now));
  to.fillText(`${room} · ${date}`, start, MARGIN + 195);
}

function save(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // Revoke the address later, because the browser reads the file after this call.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
