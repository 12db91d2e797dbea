/** The legend of a family tree, on the screen and in print. */
import { msg } from '@lit/localize';
import { DUST, dot, line, type TreeInk, type TreeScene } from '../family-tree/paint.ts';
import { FONTS } from '../style/fragments.ts';

/**
 * Draws the legend in one line.
 *
 * @param x start of the line: its left end, or its right end if time runs from right to left
 * @param y middle of the line
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
  for (const [sign, text] of signs(ink, size)) {
    to.lineCap = 'round';
    to.lineWidth = 0.13 * size;
    to.strokeStyle = ink.soft;
    to.fillStyle = ink.soft;
    sign(to, x + forward * (at + 0.7 * size), y, forward);
    to.fillStyle = ink.soft;
    to.fillText(text, x + forward * (at + 1.9 * size), y);
    at += 1.9 * size + to.measureText(text).width + 2 * size;
  }
}

/** Draws a sign around a point. */
type Sign = (to: CanvasRenderingContext2D, x: number, y: number, forward: number) => void;

function signs(ink: TreeInk, size: number): readonly (readonly [Sign, string])[] {
  const r = 0.32 * size;
  return [
    [(to, x, y) => dot(to, x, y, 0.28 * size), msg('lives')],
    [
      (to, x, y, forward) => {
        for (const [dx, dy, radius] of DUST) {
          dot(to, x + forward * 2.2 * dx * size, y + 2.4 * dy * size, 2.6 * radius * size);
        }
      },
      msg('has left'),
    ],
    [
      (to, x, y) => {
        to.strokeStyle = ink.alarm;
        line(to, x - r, y - r, x + r, y + r);
        line(to, x - r, y + r, x + r, y - r);
      },
      msg('died of its wounds'),
    ],
    [
      (to, x, y) => {
        to.fillStyle = ink.warm;
        for (const i of [-1, 0, 1]) dot(to, x + 0.6 * i * size, y, 0.2 * size);
      },
      msg('wounds healed'),
    ],
  ];
}
