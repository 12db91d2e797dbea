/**
 * Draws the legend of a family tree, and the whole tree as an image to print on A3 paper (294 dots
 * per inch).
 */
import { msg } from '@lit/localize';
import type { LineagePage } from '../../shared/lineage.ts';
import { layoutTree, TreeCamera } from '../family-tree/layout.ts';
import { DUST, dot, line, PAPER_INK, paintTree, type TreeScene } from '../family-tree/paint.ts';
import type { TreePictures } from '../family-tree/pictures.ts';
import { namesOf, sizeText } from '../family-tree/tree-text.ts';
import { canvasOf, pngOf } from '../keepsake/picture.ts';
import { formats } from '../locale/locale.ts';
import { FONTS } from '../style/fragments.ts';

/**
 * Draws the legend: one line of symbols with their explanations.
 *
 * @param x start of the line: the left end if time runs from left to right, otherwise the right end
 * @param y vertical centre of the line
 */
export function paintLegend(
  to: CanvasRenderingContext2D,
  { camera: { forward }, ink, textSize: size }: Pick<TreeScene, 'camera' | 'ink' | 'textSize'>,
  x: number,
  y: number,
): void {
  let at = 0;
  to.font = `400 ${size}px ${FONTS}`;
  to.textAlign = 'start';
  to.direction = forward > 0 ? 'ltr' : 'rtl';
  to.textBaseline = 'middle';
  const r = 0.32 * size;
  const signs: [text: string, draw: (x: number, y: number) => void][] = [
    [msg('lives'), (x, y) => dot(to, x, y, 0.28 * size)],
    [
      msg('has left'),
      (x, y) => {
        for (const [dx, dy, radius] of DUST) {
          dot(to, x + forward * 2.2 * dx * size, y + 2.4 * dy * size, 2.6 * radius * size);
        }
      },
    ],
    [
      msg('died of its wounds'),
      (x, y) => {
        to.strokeStyle = ink.alarm;
        line(to, x - r, y - r, x + r, y + r);
        line(to, x - r, y + r, x + r, y - r);
      },
    ],
    [
      msg('wounds healed'),
      (x, y) => {
        to.fillStyle = ink.warm;
        for (const i of [-1, 0, 1]) dot(to, x + 0.6 * i * size, y, 0.2 * size);
      },
    ],
  ];
  to.lineCap = 'round';
  to.lineWidth = 0.13 * size;
  to.strokeStyle = ink.soft;
  for (const [text, draw] of signs) {
    to.fillStyle = ink.soft;
    draw(x + forward * (at + 0.7 * size), y);
    to.fillStyle = ink.soft;
    to.fillText(text, x + forward * (at + 1.9 * size), y);
    at += 1.9 * size + to.measureText(text).width + 2 * size;
  }
}

/** Width and height of the image, in pixels. Phones allow at most 2^24 pixels per canvas. */
const WIDTH = 4_860;
const HEIGHT = 3_437;
const MARGIN = 170;
const HEAD = 540;
const FOOT = 250;
/**
 * Maximum time to wait for the pictures of organisms, in ms. Organisms without a picture are drawn
 * as seeds.
 */
const LONGEST = 30_000;
/** Smallest font size, in px. Corresponds to 8 points on paper. */
const TEXT = 33;

/**
 * Draws the whole family tree, and lets the browser save it as a PNG.
 *
 * @param pictures the pictures that the page has already loaded; only missing pictures are
 *   requested
 * @param forward 1 if time runs from left to right, -1 if from right to left
 * @throws Error if the browser cannot encode the image, or if the page closes the tree before all
 *   pictures have loaded
 */
export async function savePrint(
  page: LineagePage,
  pictures: TreePictures,
  room: string,
  forward: 1 | -1,
): Promise<void> {
  await pictures.all(page.organisms, LONGEST);
  if (pictures.isClosed) throw new Error('the tree was closed');
  const { canvas, to } = canvasOf(WIDTH, HEIGHT);
  const size = { width: WIDTH, height: HEIGHT };
  const layout = layoutTree(page, (WIDTH - 2 * MARGIN) / (HEIGHT - HEAD - FOOT));
  const camera = new TreeCamera(layout, forward);
  camera.closest = 840;
  camera.resize(size, { top: HEAD, bottom: FOOT, side: MARGIN });
  const { ground, ink, soft } = PAPER_INK;
  to.fillStyle = ground;
  to.fillRect(0, 0, WIDTH, HEIGHT);
  const scene = { layout, camera, size, pictures, ink: PAPER_INK, textSize: TEXT };
  paintTree(to, { ...scene, names: namesOf, until: layout.width });
  const start = forward > 0 ? MARGIN : WIDTH - MARGIN;
  const foot = HEIGHT - MARGIN + 20;
  paintLegend(to, { ...scene, textSize: 1.2 * TEXT }, start, foot);
  to.textAlign = 'end';
  to.fillText(`${sizeText(page, layout.nodes)} · Vivarium`, WIDTH - start, foot);
  to.textBaseline = 'alphabetic';
  to.textAlign = 'start';
  to.fillStyle = ink;
  to.font = `500 ${4.4 * TEXT}px ${FONTS}`;
  to.fillText(msg('Family tree'), start, MARGIN + 105);
  to.fillStyle = soft;
  to.font = `400 ${1.7 * TEXT}px ${FONTS}`;
  const date = new Intl.DateTimeFormat(formats(), { dateStyle: 'full' }).format(page.now);
  to.fillText(`${room} · ${date}`, start, MARGIN + 195);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await pngOf(canvas));
  link.download = `vivarium-${room}.png`;
  link.click();
  // The browser needs the URL after this function has returned, so free the URL a minute later.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
